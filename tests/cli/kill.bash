# For tests that stop, kill and resume runs.
await() { for _ in $(seq 3000); do "$@" && return; sleep 0.01; done; echo "waited in vain: $*"; exit 1; }

# kill_often PAUSE... -- RUN ARGUMENT...: trains with the arguments in RUN, which is killed as soon as it
# is one, then resumed and killed after each pause, then resumed to its end.
kill_often() {
    local pauses=()
    while [ "$1" != -- ]; do pauses+=("$1"); shift; done
    local run=$2
    shift 2
    latent train "$@" --out $run 2> /dev/null &
    await test -e $run/recipe.yaml
    kill -9 $! && wait $! 2> /dev/null
    for pause in "${pauses[@]}"; do
        latent resume $run --threads 1 2> /dev/null &
        sleep $pause
        kill -9 $! 2> /dev/null
        wait $! 2> /dev/null
    done
    latent resume $run --threads 1 2> /dev/null; echo "exit $?"
}

# same_run RUN RUN CHECKPOINT: the same weights, lines and pictures.
same_run() {
    local steps='s/,"images.*//'
    cmp $1/$3 $2/$3 && echo "same bits"
    diff <(sed -E "$steps" $1/metrics.jsonl) <(sed -E "$steps" $2/metrics.jsonl) && echo "same lines"
    diff -rq $1/samples $2/samples && echo "same pictures"
}
