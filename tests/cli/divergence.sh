# Critics of two known distributions: the table, JSON, the chart, and what is not accepted.
short="--steps 20 --batch 16 --held-out 1024"
masked() { sed -E 's/<?-?[0-9]+\.[0-9]{4}( |$)/#\1/g; s/ +#/ #/g'; }
latent divergence $short --theta -1:1:3 2> log | masked
sed -E 's/[0-9.]+ s$/# s/' log
echo "-- truths that are infinite, or have no formula"
latent divergence $short --theta 0:0.5:2 -m kl,jensen_shannon 2> /dev/null | masked
latent divergence $short --p ring --q grid --theta 0 -m wasserstein 2> /dev/null | masked
echo "-- a mean without an error"
latent divergence --steps 300 --held-out 4096 --p "normal 0 1" --q "normal 0 2" --theta 1 \
    -m reverse_kl,total_variation 2> /dev/null | sed -E 's/[0-9]+\.[0-9]+/#/g; s/ +#/ #/g'
echo "-- few samples: no tail, no error"
latent divergence $short --held-out 992 --p "normal 0 1" --theta 1 -m reverse_kl,total_variation 2> /dev/null |
    sed -E 's/-?[0-9]+\.[0-9]{2,}/#/g; s/ +#/ #/g'
echo "-- the same digits"
latent divergence $short --theta 0:1:4 -t 1 > one 2> /dev/null
latent divergence ift6135-divergences $short --theta 0:1:4 -t 3 2> /dev/null | cmp - one && echo same
latent divergence $short --theta 0:1:4 --seed 1 2> /dev/null | cmp -s - one || echo others
echo "-- json"
latent divergence $short --p "normal 0 2" --theta 1 -m reverse_kl,hinge --json 2> /dev/null > a.json
grep -oE '"p": "[^"]*"|"q": "[^"]*"|"measure": "[^"]*"|"exact": [^,]*' a.json
echo "-- a chart"
latent divergence $short --theta -1:1:5 -o a.svg > /dev/null 2>&1; echo "exit $?"
grep -c '<svg' a.svg
latent divergence $short --theta 0 -o a.txt 2>&1 > /dev/null | tail -1
echo "-- not so"
for options in "ift6135-divergence" "--p uniform --q ring" "--p gausian" "-m wasserstien" "--theta 1:2" \
    "--theta x" "--lr 0" "--lambda -1" "--held-out 2" "-m kl,"; do
    latent divergence $short $options 2>&1; echo "exit $?"
done
