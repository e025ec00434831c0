# What people read fits a terminal of 80 columns: nothing is wider, but for words that are longer themselves. Columns
# of a table line up. Colors are there on a terminal that has them, and nowhere else; what programs read stays whole.
tiny=$TESTS/cli/tiny.yaml
gan=$TESTS/cli/gan.yaml
# COLUMNS NAME < TEXT: lines that are too wide, although a space could have been a line's end
fits() {
    local line rest n=0
    while IFS= read -r line; do
        n=$((n + 1))
        rest=${line#"${line%%[![:space:]]*}"}
        [ ${#line} -le "$1" ] || [ "${rest%% *}" = "$rest" ] || echo "$2: ${#line} columns: $line"
    done
    [ $n -gt 0 ] || echo "$2: nothing"
}
commands=$(latent help | awk '/^  [a-z]/ && $1 != "latent" { print $1 }')
echo "-- pages: piped, on a terminal of 80 columns, of 50"
for name in $commands; do
    latent help $name | fits 80 "help $name"
done
export COLUMNS=80
latent help | fits 80 help
for table in sections layers initializers likelihoods priors losses penalties objectives optimizers schedules \
    distributions; do
    latent list $table 2>&1 | fits 80 "$table"
done
for table in list recipes limits version 'data list'; do
    latent $table 2>&1 | fits 80 "$table"
done
for name in eval data train; do
    COLUMNS=50 latent help $name | fits 50 "help $name"
done
echo "-- training, of every kind of row"
run() {
    local name=$1
    shift
    latent train "$@" -s train.samples_every=0 --threads 1 --out "$name" > "$name.log" 2>&1 || cat "$name.log"
    fits 80 "train $name" < "$name.log"
}
small='-s data.limit=40 -s train.batch=4'
run plain $tiny -e 12 $small
run annealed $tiny -e 3 $small -s objective.beta=3 -s 'objective.schedule=linear epochs=3 per=step'
run capacity $tiny -e 2 $small -s objective.capacity=6 -s 'objective.capacity_schedule=linear epochs=1 per=step'
run bound $tiny -e 2 $small -s objective.bound=iwae -s objective.samples=4 -s objective.beta=0.0012345
run sigma $tiny -e 2 $small -s 'model.likelihood=gaussian optimal' -s data.binarize=none
run gan $gan -e 2 -s data.limit=8
run penalty $gan -e 100 -s data.limit=8 -s objective.loss=wasserstein -s 'objective.penalty=lipschitz 10'
echo "-- a row for each epoch, heads once; numbers end below each other"
grep -c '^epoch *loss' plain.log; grep -c '^epoch [0-9]' plain.log
grep '^epoch' annealed.log | head -1; grep '^epoch' penalty.log | head -1
for name in plain penalty; do
    awk '/^epoch [0-9]/ { line = substr($0, 14); gsub(/[^ ]( |$)/, "|", line); gsub(/[^| ]/, " ", line); print line }' \
        $name.log | sort -u | wc -l
done
latent resume annealed --epochs 5 2>&1 | fits 80 resume
echo "-- what is reported of runs"
for name in plain sigma bound; do
    latent eval $name --nll 30 --iwae 1,5 --ais 2,3 2>&1 | fits 80 "eval $name"
    latent explain $name 2>&1 | fits 80 "explain $name"
done
latent eval gan 2>&1 | fits 80 "eval gan"
latent eval plain bound --quality --samples 20 2>&1 | fits 80 "eval of several"
latent explain gan 2>&1 | fits 80 "explain gan"
latent report plain -o page.html 2>&1 | fits 80 report
latent bench $tiny --repeats 1 --time 1 --profile -t 1 2>&1 | fits 80 bench
latent data info synthetic 2>&1 | fits 80 "data info"
latent divergence --steps 3 --held-out 64 --theta 0:1:2 -m kl,jensen_shannon,wasserstein -t 1 2>&1 | fits 80 divergence
latent train $tiny --set model.laten=3 2>&1 | fits 80 "an error"
latent eval plain --nll 0 2>&1 | fits 80 "an error of usage"
echo "-- no width is known: messages are one line each, for grep"
unset COLUMNS
latent train $tiny --set model.laten=3 2>&1 | wc -l
COLUMNS=80 latent eval plain --json 2> /dev/null | wc -l
echo "-- colors"
colors() { # VARIABLES: a command on a terminal that says it is one of 80 columns
    env "$@" TESTS="$TESTS" script -qec "stty cols 80; latent help eval; latent train $tiny --set model.laten=3" /dev/null |
        grep -c $'\033\\['
}
colors TERM=xterm > n; [ "$(cat n)" -ge 5 ] && echo some
colors TERM=xterm NO_COLOR=1
colors TERM=xterm NO_COLOR= > n; [ "$(cat n)" -ge 5 ] && echo some
colors TERM=dumb
colors -u TERM
TERM=xterm latent help eval | grep -c $'\033'
echo "-- the terminal's own width"
script -qec "stty cols 60; latent help eval; latent eval plain --nll 30; latent explain plain" /dev/null | sed 's/\r*$//' |
    sed 's/\x1b\[[0-9;]*m//g' | sed 's/.*\r//' | fits 60 "a terminal of 60"
echo "-- wide characters are two columns, combining ones none"
mkdir 漢字漢字漢字漢字漢字; cd 漢字漢字漢字漢字漢字; COLUMNS=40 latent eval 漢字漢字漢字漢字 2>&1 | head -2; cd ..
echo "-- warnings about a run: once, when it begins, or when they are asked for"
rm -rf plain; latent train $tiny -e 1 $small --out plain 2>&1 | grep -c warning; cat plain/warnings.txt
for what in 'eval plain' 'explain plain' 'report plain' 'plot latents plain' 'reconstruct plain' 'resume plain --epochs 2' \
    'eval plain/checkpoints/*20.safetensors'; do
    latent $what 2>&1 | grep warning
done
latent explain plain 2>&1 | grep -c '10 test images\|40 test images'
latent reconstruct plain --split valid 2>&1 | grep -c warning
