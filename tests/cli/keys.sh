# Keys of recipes: every one that a help page names is read, and one that there is none of gets the nearest in full.
cp $TESTS/cli/tiny.yaml tiny.yaml; cp $TESTS/cli/gan.yaml gan.yaml
# is_read KEY VALUE WHERE: by one of the two kinds of recipes, whatever is said of the value
unknown='unknown key|unknown option|in the value at|not a key|expected a value, found a map'
is_read() {
    for kind in tiny gan; do
        latent recipes show ./$kind.yaml -s optimizer=adamw -s "$1=$2" > said 2>&1 && return
        grep -qE "$unknown" said || return 0
    done
    echo "$3: $1=$2 is not read: $(head -1 said)"
}

echo "== every key in the help of every command"
for command in $(latent help --json | grep -o '{"name": "[a-z]*", "summary"' | cut -d '"' -f 4); do
    latent help $command | tr '\n' ' ' | sed 's/  */ /g' |
        grep -oE '\b(data|model|objective|train|optimi[sz]er|learning_rate_schedule)(\.[a-z_0-9]+)+|Values of [a-z_]+ ' |
        sed 's/Values of //; s/\.$//' | grep -vxE 'train\.npy|data\.md' | sort -u > keys
    while read -r key; do is_read $key '?' "latent help $command"; done < keys
    [ -s keys ] && echo "$command: $(grep -c . keys)"
done
echo "== the rows of a table are values of the keys that latent list names"
latent list | awk '/^[a-z]/ { printf "\n%s:", $1 } { printf " %s", $0 }' > tables
for table in likelihoods priors losses penalties objectives optimizers schedules initializers; do
    keys=$(grep "^$table:" tables | grep -oE '(model|objective|train)\.[a-z_]+|optimizer |learning_rate_schedule')
    for key in $keys; do
        for row in $(latent list $table --json | grep -oE '\{"name": "[a-z0-9_]+", "summary"' | cut -d '"' -f 4); do
            unknown="$unknown|unknown [a-z ]*\"" is_read $key $row "latent list $table"
        done
    done
    echo "$table: $(echo $keys)"
done
echo "== sections"
latent list sections | awk '/^[a-z]/ { section = $1 == "recipe" ? "" : $1 "." } /^  [a-z]/ { print section $1 }' > keys
while read -r key; do is_read $key '?' sections; done < keys
[ $(grep -c . keys) -gt 30 ] && echo "read"

echo "== what was meant"
meant() { echo "$1: $(latent recipes show ./${2:-tiny}.yaml -s "$1=1" 2>&1 | head -1 | sed -E 's/.*unknown key "[^"]*"//; s/ \(keys.*//')"; }
for key in lr learning_rate batch batch_size epoch beta latent model.latnet limit weight_decay optimiser.lr train.lr data.epochs sigma \
    objective.lr train.learning_rate_shedule qqq; do
    meant $key
done
for key in lr discriminator_steps loss beta; do meant $key gan; done
printf 'latent: 3\ndata: {set: synthetic}\n' > top.yaml; latent recipes show ./top.yaml 2>&1 | cut -d '(' -f 1
