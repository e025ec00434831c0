# Pages of runs: whole, of nothing else, the same bytes twice.
odd="runs/a <b> & \"c\" 'd' é"
try() { echo "-- latent report $*"; latent report "$@" --threads 1 2>&1; echo "exit $?"; }
check() { awk -f $TESTS/cli/check_page.awk "$1"; }
latent train $TESTS/cli/tiny.yaml --threads 1 2> /dev/null; echo "exit $?"
latent train $TESTS/cli/tiny.yaml --threads 1 --epochs 1 -s model.latent=1 -s summary='1 < 2 & "so"' --out "$odd" 2> /dev/null; echo "exit $?"
latent train $TESTS/cli/gan.yaml --threads 1 --out gan 2> /dev/null; echo "exit $?"

try runs/tiny; check report.html
mv report.html before.html; latent report runs/tiny --threads 2 2> /dev/null; cmp report.html before.html && echo same
grep -o '<h1>.*</h1>' report.html; grep -o '<a href="#[^>]*>[^<]*' report.html
echo "-- how to make it again"
sed -n '/id="again"/,/<\/section>/p' report.html | grep -v digest | grep latent | sed 's/<[^>]*>//g'
last=$(ls runs/tiny/checkpoints/*.safetensors | tail -n 1)
grep -ao '"digest":"[0-9a-f]*' $last | cut -d'"' -f4 > digest
grep -qF -f digest report.html && echo "the digest of the checkpoint"

try "$odd" -o odd.html; check odd.html
grep -E '<h1>|class="summary"' odd.html; grep 'latent sample' odd.html
try gan -o gan.html --quality --samples 100; check gan.html
grep -c '<th scope="row">FID' gan.html
echo "-- of a preset"
again() { latent report "$@" --threads 1 -o again.html 2> /dev/null; sed -n '/id="again"/,/<\/section>/p' again.html | grep 'latent train' | sed 's/<[^>]*>//g'; }
latent train fashion-mlp-vae --data synthetic --threads 1 --epochs 1 -s data.limit=20 -s model.encoder.0='linear 7' -s model.latent=2 --out preset 2> /dev/null; echo "exit $?"
again preset -n 2 --nll 0; grep 'latent manifold ' again.html | sed 's/<[^>]*>//g'
latent train cs446-gan --data synthetic --threads 1 --epochs 1 -s data.limit=20 -s objective.penalty='r1 1' --out adversarial 2> /dev/null; echo "exit $?"
again adversarial
echo "-- without a log"
mkdir -p bare && cp -r runs/tiny/checkpoints runs/tiny/recipe.yaml bare
try bare -n 50 --nll 0 -o bare.html; check bare.html
try $last -o file.html; check file.html
echo "-- without data"
mkdir set
for i in $(seq 12); do { printf 'P5 6 6 255\n'; head -c 36 $TESTS/cli/report.sh; } > set/$i.pgm; done
latent train $TESTS/cli/tiny.yaml --epochs 1 --threads 1 --data $PWD/set --out far 2> /dev/null; echo "exit $?"
mv set gone
try far -o far.html; check far.html
grep -c 'The data could not be opened' far.html
try far --data gone -o far.html; check far.html
echo "-- several"
try runs/tiny "$odd" gan bare runs/tiny/ -o all.html; check all.html
grep -o '<h1>.*</h1>' all.html; grep -c 'are not comparable' all.html; grep '<tr><th scope="row">model.latent' all.html
try runs/tiny bare; check report.html
grep 'recipes are equal' report.html
echo "-- numbers of a log that no training writes, and a long path"
cp -r runs/tiny far-off; sed -E 's/("epoch": ?)[0-9]+/\11e300/' runs/tiny/metrics.jsonl > far-off/metrics.jsonl
latent plot curves far-off -o off.png > log 2>&1; echo "exit $?"
latent report far-off -o off.html > log 2>&1; echo "exit $?"
deep=$PWD; for i in 1 2 3 4; do deep=$deep/$(printf 'x%.0s' $(seq 200)); done
mkdir -p $deep; latent data show synthetic -n 20 -o $deep/d.npy 2> /dev/null
latent train $TESTS/cli/tiny.yaml --epochs 1 --threads 1 --data $deep/d.npy --out deep > log 2>&1; echo "exit $?"
latent report deep -o deep.html > log 2>&1; echo "exit $?"
rm -rf far-off off.png off.html deep deep.html xxx*
echo "-- refused"
try none
try runs/tiny -o none/x.html
try runs/tiny -o /dev/null
sed 's/"format_version":"1"/"format_version":"9"/' $last > later.safetensors
try later.safetensors | sed 's/, written by.*//'
try later.safetensors gan --nll 3 | sed 's/, written by.*//'
try gan --nll 3
ls | grep -c XXXX
TMPDIR=none latent report runs/tiny --threads 1 2>&1; echo "exit $?"
