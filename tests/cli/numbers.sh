# tools/numbers finds what documents and commands do not agree about.
top=$TESTS/..
mkdir -p tree/docs tree/recipes tree/tools
cp "$top"/docs/*.md "$top/docs/numbers.tsv" tree/docs; cp "$top"/recipes/*.yaml tree/recipes; cp "$top/tools/numbers" tree/tools
bin=$(dirname "$(command -v latent)")
numbers() { tree/tools/numbers --build "$bin" "$@" 2>&1; echo "exit $?"; }
# FILE OLD NEW: the tree with a change, and what is said of it
changed() {
    cp "tree/$1" kept
    sed -i "s/$2/$3/" "tree/$1"
    numbers --short "$1" | sed -E 's/line [0-9]+/line #/; s/^numbers: [0-9]+ made.*, /... /'
    cp kept "tree/$1"
}
numbers --short | sed -E 's/[0-9]+ (made|not)/# \1/g'
echo "-- a number that is wrong; one that is gone; words that have changed"
changed recipes/cs446-gan.yaml 164,225 164,217
changed docs/models.md 448.73 448.37
changed docs/charts.md '39 % of the posterior' 'a third of the posterior'
echo "-- a table that is wrong"
line() { printf '%b\n' "$1" > tree/docs/numbers.tsv; numbers --short; }
line 'instant\tdocs/models.md\t784-500-2, 2-500-784 with tanh, {} parameters\t0\tparameters cs446-vae2d\t-\t-\t-'
line 'instant\tdocs/models.md\t784-500-2, 2-500-784 with tanh, {} parameters\t0\tparameters cs446-vae2\t-\t-\t-' | cut -c1-80
line 'quick\tdocs/none.md\tx {}\t0\ttrue\t-\t-\t-'
line 'slow\tdocs/models.md\tx {}\t0\ttrue\t-\t-\t-'
line 'quick\tdocs/models.md\t{} parameters\t0\ttrue\t-\t-\t-'
line 'quick\tdocs/models.md\ttanh, {} parameters\t0\ttrue'
line 'long\tdocs/models.md\tback with tanh, {} parameters\t0\ttrue\t-\t-\tsome'
line 'quick\tdocs/models.md\twith tanh, {} parameters\t0\ttrue\t-\t-\t-'
line 'instant\tdocs/models.md\tback with tanh, {} parameters\t1%\tvalue "425284 * 1.02"\t-\t-\t-'
line 'instant\tdocs/models.md\tback with tanh, {} parameters\t1%\tvalue "425284 * 1.0099"\t-\t-\t-'
