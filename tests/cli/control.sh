# Control bytes of files and of names never reach a terminal: what is printed is text.
plain() { # no C0 but newline and tab, no DEL, no C1, no bidirectional or invisible characters, no broken UTF-8
    "$@" > out 2>&1; local code=$?
    LC_ALL=C grep -q -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf' out && echo "CONTROL BYTES"
    iconv -f UTF-8 -t UTF-8 out > /dev/null 2>&1 || echo "NOT UTF-8"
    grep -q FORGED out && grep -n '^FORGED' out
    cat out; echo "exit $code"
}
esc=$'\e[31m' bidi=$'\u202e' c1=$'\u009b2J' line=$'\nFORGED'
name="a$esc$bidi$c1${line}b"

echo "-- files"
printf '\x93NUMPY\x01\x00\x0e\x00{\x27\x1b[2Jkey\x27: 1}\n\n\n\n' > esc.npy
plain latent data info ./esc.npy
printf '"\\e[31mred\\a": 1\n' > esc.yaml
plain latent recipes show ./esc.yaml | sed "s/(keys:.*)/(keys: ...)/"
printf 'name: "\\e[31mx\\u202Ey"\ndata: {set: synthetic}\nmodel: {latent: 2, likelihood: bernoulli, encoder: [linear 4], decoder: [linear image]}\n' > named.yaml
plain latent recipes show ./named.yaml | head -3

echo "-- names"
plain latent data info "./$name.npy"
plain latent "tra${esc}in"
plain latent train "$name" | sed "s/(presets:.*)/(presets: ...)/"
plain latent eval "$name"
plain latent data info mnist --set "$name=1" | sed "s/(options:.*)/(options: ...)/"
plain latent data info $'caf\xe9.npy'
plain latent help "$esc"
plain latent train $TESTS/cli/tiny.yaml "--$esc"

echo "-- classes, and JSON that means the same"
latent data show synthetic -n 1 -c 1 -o one.png 2> /dev/null
for split in train test; do for class in "$name" plain; do mkdir -p "set/$split/$class"; cp one.png "set/$split/$class/"; done; done
plain latent data info ./set
plain latent data info ./set --json

echo "-- runs"
plain latent train $TESTS/cli/tiny.yaml --threads 1 --epochs 1 --out "run$name" | sed -E 's/[0-9]+ images/# images/g; /^epoch [0-9]/s/ [ 0-9=+:.-]{9,}$/ #/'
plain latent sample "run$name" -n 1 -o "$name.png"
plain latent eval "run$name" | head -1
