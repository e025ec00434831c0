# Every command on a page makes what stands above it, when it is run as it stands there: pictures byte for byte, tables
# by all of their numbers. Of kinds of models, and of what was asked of the report.
tiny=$TESTS/cli/tiny.yaml
plain() { # TEXT of HTML
    sed -E "s/<[^>]*>//g; s/&lt;/</g; s/&gt;/>/g; s/&quot;/\"/g; s/&#39;/'/g; s/−/-/g; s/&amp;/\&/g"
}
# PAGE: a line for each command, and what is wrong with it
replay() {
    local page=$1 line words file n=0 numbers=
    rm -f picture
    while IFS= read -r line; do
        case $line in
        *'<img '*)
            [ ! -e picture ] || echo "$page: a picture without a command"
            sed -E 's/.*;base64,([^"]*)".*/\1/' <<< "$line" | base64 -d > picture ;;
        *'<td class="number">'*)
            numbers+=$(grep -oE '<td class="number">[^<]*' <<< "$line" | plain | sed 's/.*>//; s/± //; s/<//' | grep -E '[0-9]')$'\n' ;;
        esac
        case $line in *'class="command"'*) ;; *) continue ;; esac
        words=$(grep -oE '<code>.*</code>' <<< "$line" | plain)
        file=$(sed -nE 's/.* -o ([^ ]+).*/\1/p' <<< "$words")
        n=$((n + 1))
        rm -f "${file:-none}"
        bash -c "$words" > out 2> err || { echo "$page: exit $?: $words"; cat err; }
        if [ -n "$file" ]; then
            cmp -s picture "$file" || echo "$page: another picture: $words"
            rm -f picture
        else
            [ -n "$numbers" ] || echo "$page: no numbers above: $words"
            for words in $numbers; do
                grep -qF -- "$words" out || echo "$page: not found: $words"
            done
            numbers=
        fi
    done < "$page"
    [ ! -e picture ] || echo "$page: a picture without a command"
    echo "$page: $n commands"
}
train() { latent train "$@" -s train.samples_every=0 --threads 1 > log 2>&1 || cat log; }
report() { latent report "$@" --threads 2 > log 2>&1 || cat log; }
train $tiny -e 2 --out runs/vae
train $tiny -e 1 -s model.latent=2 --out "runs/two latents & more"
train $TESTS/cli/gan.yaml -e 2 -s data.limit=40 --out runs/cgan
train cs446-gan -e 1 -s data.set=synthetic -s data.limit=40 --out runs/gan
report runs/vae -o a.html; replay a.html
report "runs/two latents & more" --seed 3 --images 30 --nll 5 --data synthetic -o b.html; replay b.html
report runs/cgan --quality --samples 25 --seed 2 -o d.html; replay d.html
report runs/gan -o e.html; replay e.html
report runs/vae runs/cgan "runs/two latents & more" --seed 1 -o f.html; replay f.html
echo "-- what is printed as a formula is set as one"
for page in a b d e f; do
    awk '/<pre/ { code = 1 } !code { print } /<\/pre>/ { code = 0 }' $page.html | sed -E 's/<code>[^<]*<\/code>//g; s/<(img|p class="command").*//; s/<[^>]*>//g' |
        grep -E '\|\||beta x|beta |[0-9] x |sum \(| pi |\+- |(^|[ (])-(log|ELBO)' | sed "s/^/$page: /"
done
echo "-- a chart alone"
latent plot curves runs/vae --chart 9 2>&1; echo "exit $?"
latent explain runs/cgan --split test 2>&1; echo "exit $?"
latent explain runs/vae --images 3 2>&1; echo "exit $?"
