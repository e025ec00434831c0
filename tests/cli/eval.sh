# What is found of each image, and of a chosen part of the data.
tiny=$TESTS/cli/tiny.yaml
latent train $tiny --threads 1 > log 2>&1; echo "exit $?"
echo "-- each image's own numbers: their means are what eval prints"
latent eval runs/tiny --nll 30 --iwae 1,5 --ais 2,5 --images 50 --json --per-image x.csv --threads 1 > e.json 2> log; echo "exit $?"
grep -o 'x.csv.*' log
head -1 x.csv
wc -l < x.csv
# NAME COLUMN SIGN: a number of e.json and the mean of a column
agree() {
    want=$(sed -E "s/.*\"$1\": \{(\"k\": [0-9]+, )?\"value\": ([^,]*),.*/\2/" e.json)
    awk -F, -v want="$want" -v c="$2" -v sign="${3:-1}" 'NR > 1 { sum += $c; n++ }
        END { d = sum / n - sign * want; print (d * d < 1e-10 * want * want) ? "as printed" : "not " want ": " sum / n }' x.csv
}
agree rate 4; agree distortion 5; agree squared_error 6; agree nll 9; agree ais 12
grep -o '"ess": [0-9.]*' e.json | head -3 | tail -1 | cut -d' ' -f2 > ess
awk -F, -v want="$(cat ess)" 'NR > 1 { sum += $10; n++ } END { print (sum / n - want) ^ 2 < 1e-8 ? "as printed" : "not" }' x.csv
latent eval runs/tiny --nll 30 --iwae 1,5 --ais 2,5 --images 50 --per-image - --threads 3 2> /dev/null | cmp - x.csv && echo "same on stdout, at 3 threads"
latent eval runs/tiny --per-image x.npz --threads 1 2>&1 > /dev/null | head -1
echo "-- a chosen part of the data"
latent eval runs/tiny --split train --per-image - 2> /dev/null > all.csv
latent eval runs/tiny --split train --set data.classes=1,3 --set data.limit=20 --per-image - 2> /dev/null > some.csv
awk -F, 'NR > 1 { print $2 }' some.csv | sort | uniq -c | awk '{ print $2 }'
wc -l < some.csv
awk -F, 'NR == FNR { label[$1] = $2; rate[$1] = $4; next }
    FNR > 1 { d = $4 - rate[$1]; same += label[$1] == $2 && d * d < 1e-6 } END { print same " have the label and the rate they had" }' all.csv some.csv
latent eval runs/tiny --set data.classes=2 --set data.limit=9 2> /dev/null | tail -3
latent eval runs/tiny --set data.limit=9 --json 2> /dev/null | grep -o '"chosen.*'
latent eval runs/tiny --set data.set=synthetic --json 2> /dev/null | grep -o '"images": [0-9]*'
echo "-- mistakes"
for wrong in model.latent=2 limit=5 data.limt=5 data.limit=-1 data.limit data.flip=yes data.set= data.classes=9 data.resize=9; do
    latent eval runs/tiny --set $wrong 2>&1; echo "exit $?"
done
latent eval runs/tiny --data synthetic --set data.set=synthetic 2>&1; echo "exit $?"
latent eval runs/tiny --set data.validation=9 --set data.limit=20 2>&1 > /dev/null | grep -v images/s
latent eval runs/tiny --per-image x.txt 2>&1; echo "exit $?"
latent eval runs/tiny --per-image - --json 2>&1; echo "exit $?"
latent eval runs/tiny --per-image none/x.csv 2>&1; echo "exit $?"
latent eval runs/tiny runs/tiny --quality --per-image x.csv 2>&1; echo "exit $?"
