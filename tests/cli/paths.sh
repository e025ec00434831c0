# Paths and data keep their meaning on the way: through options, recipes, runs, and from elsewhere.
numbers() { sed -E 's/-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?/#/g; /^epoch #/s/ +/ /g'; }
quiet() { latent "$@" > log 2>&1 || { echo "exit $?: latent $*"; cat log; }; }
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
latent data show synthetic -n 20 -o d.npy 2> /dev/null
cat > tiny.yaml <<'END'
data: {set: ./d.npy}
model: {latent: 2, likelihood: bernoulli, encoder: [linear 4], decoder: [linear image]}
train: {epochs: 1, batch: 10, samples_every: 0}
END

echo "== no value of an option is taken for something else"
i=0
for name in 'cats # 2' 'a: b' '~' null true '*a' '&a' '!t' '[a]' '{a: b}' '"q"' "'s" $'new\nline' ' lead' \
    'trail ' -x '#h' 'a\b' $'tab\t' '|' '> f' '%d %s' 'é' 1e3 2024-01-01 mnist; do
    mkdir "./$name"
    cp d.npy "./$name/train.npy"
    i=$((i + 1))
    quiet train tiny.yaml --data "./$name" --out "run $i # $name"
    quiet eval "run $i # $name" --images 5
    (cd / && quiet eval "$OLDPWD/run $i # $name" --images 5)
    rm -r "./$name"
    latent eval "run $i # $name" --images 5 > log 2>&1 && echo "$name: not its data"
done
echo "$i names"
cp d.npy $'\xff.npy'; try train tiny.yaml --data $'\xff.npy' --out never | LC_ALL=C sed 's/[^ -~]/?/g'
long=./$(printf '%0200d/' {1..13})
mkdir -p "$long" && cp d.npy "$long" && quiet train tiny.yaml --data "$long/d.npy" --out long --epochs 1
quiet eval long
endless=$(printf '%05000d' 0)
latent train tiny.yaml --data "/$endless" 2>&1 | sed 's/00*/0/g'
latent train tiny.yaml --out "$endless" 2>&1 | sed 's/00*/0/g'
latent train "./$endless.yaml" 2>&1 | sed 's/00*/0/g'
latent eval "./$endless" 2>&1 | sed 's/00*/0/g'
latent data info "./$endless" 2>&1 | sed 's/00*/0/g'
latent animate "$endless" 2>&1 | sed 's/00*/0/g'
rm -rf run* long never 0*

echo "== relative paths begin at the recipe"
mkdir lib
mv d.npy tiny.yaml lib
try train lib/tiny.yaml --out run | numbers
grep 'set:' run/recipe.yaml
(cd / && quiet eval "$OLDPWD/run")
(cd lib && quiet train tiny.yaml --out ../again) && cmp run/recipe.yaml again/recipe.yaml
diff -r run/checkpoints again/checkpoints
sed 's/d.npy/e.npy/' lib/tiny.yaml > lib/e.yaml
cp lib/d.npy e.npy
try train lib/e.yaml --out never
try train lib/e.yaml --out never --set data.set=e.npy | numbers
sed 's:./d.npy:e.npy:' lib/tiny.yaml > lib/e.yaml
try train lib/e.yaml --out never2
sed 's:./d.npy:~/d.npy:' lib/tiny.yaml > lib/e.yaml
try train lib/e.yaml --out never2

echo "== data are known by their content"
rm -rf run again never*
cp lib/d.npy d.npy
sed 's:./d.npy:../d.npy:' lib/tiny.yaml > lib/d.yaml
quiet train lib/d.yaml --out run
quiet resume run --epochs 2
mkdir moved && cp d.npy moved/d.npy
quiet resume run --epochs 3 --data moved/d.npy
quiet resume run --epochs 4 --data d.npy
latent data show synthetic -n 20 --seed 3 -o d.npy 2> /dev/null
sums() { sed -E 's/SHA-256 [0-9a-f]{12}/SHA-256 #/g'; }
before=$(cksum run/*.* run/*/*)
try resume run --epochs 5 | sums
[ "$before" = "$(cksum run/*.* run/*/*)" ] && echo "nothing is changed"
latent data show synthetic -n 30 -o more.npy 2> /dev/null
try resume run --epochs 5 --data more.npy | sums
for command in "eval run" "reconstruct run -o o.png" "plot latents run -o o.png" "interpolate run -o o.png" \
    "explain run" "eval run --set data.limit=5"; do
    echo "-- $command: $(latent $command 2>&1 | sums | grep -c 'not the data that d was trained with')"
done
latent eval run 2>&1 | sums | grep 'not the data'
for command in "sample run -o o.png" "eval run --data d.npy" "eval run --data moved/d.npy"; do
    echo "-- $command: $(latent $command 2>&1 | grep -c 'not the data')"
done

echo "== what latent has drawn is not data"
mkdir photos
for i in 1 2 3 4 5 6; do latent data show synthetic -n 1 --seed $i -o photos/$i.png 2> /dev/null; done
sed 's:./d.npy:.:' lib/tiny.yaml | sed 's/samples_every: 0/samples_every: 1/' > photos/mine.yaml
(cd photos && quiet train mine.yaml && quiet train mine.yaml --out runs/again)
find photos -name '*.png' | wc -l
(cd photos && quiet resume runs/mine --epochs 2)
try data info photos 2>&1 | sed -n '2p;/train/p'
try train photos/mine.yaml --out photos
try data info photos/runs/mine
try train lib/tiny.yaml --data photos/runs/mine/samples --out never
echo "-- a picture that is drawn into the data is told of"
rm -rf photos/runs photos/mine.yaml
for out in photos/x.png ./photos/../photos/x.jpg photos/x.npy photos/.x.png photos/x.svg x.png; do
    sed "s:./d.npy:$PWD/photos:" lib/tiny.yaml > lib/p.yaml
    [ -d drawer ] || quiet train lib/p.yaml --out drawer
    echo "$out: $(latent sample drawer -n 4 -o $out 2>&1 | grep -c 'lies among the images')"
    rm -f $out
done
mkdir photos/runs; cp -r drawer photos/runs/
(cd photos && latent sample runs/drawer -o runs/drawer/x.png 2>&1 | grep -c 'lies among'
    latent sample runs/drawer -o x.png 2>&1 | grep -c 'lies among'
    rm x.png; latent data show . -n 2 2>&1 | grep -c 'lies among')
rm -r photos/runs photos/images.png
latent data show synthetic -n 1 --seed 99 -o photos/99.png 2> /dev/null
latent report drawer -o r.html 2>&1 | grep -c 'not the data'
