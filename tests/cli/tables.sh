# What may stand in a recipe, from the tables that the parser reads.
latent recipes | grep -E "^(fashion|iwae|mnist)"
latent list
for table in sections layers initializers likelihoods priors losses penalties objectives optimizers schedules \
    distributions; do
    echo "-- $table"
    latent list $table | awk '/^[^ ]/ { print $1 }' | if [ $table = objectives ]; then grep -xE "vae|gan"; else uniq; fi |
        xargs
done
latent list layers linear
echo "-- json"
latent list optimizers sgd --json
latent data list --json | grep -o '{"name": "mnist"[^}]*'
latent data info synthetic --json
latent data info synthetic -s resize=16x20 -s data.channels=3 --set flip=yes
latent recipes --json | cut -c 1-60
latent version --json | cut -c 1-11
echo "-- networks, with no data at hand"
latent recipes show i2dl-mlp-vae | sed -n '/^# name /,$p'
latent recipes show cs561-conv-vae | tail -1
latent recipes show i2dl-mlp-vae -s data.set=./pictures | tail -1
latent recipes show i2dl-mlp-vae -s data.set=./pictures --networks 2>&1 > /dev/null
echo "-- a preset shown is a recipe again"
latent recipes show ift6135-vae > a.yaml && latent recipes show ./a.yaml | cmp - a.yaml && echo same
latent recipes show ift6135-vae -s model.latent=7 -s optimizer.lr=0.5 | diff a.yaml - | grep "^[<>]"
echo "-- images of a set"
latent data show synthetic -n 6 -o six.npy 2>&1 && head -c 128 six.npy | grep -a -o "'shape': ([^)]*)"
latent data show synthetic -n 6 --split test -o test.png 2>&1 && head -c 4 test.png | tail -c 3
echo
latent data show synthetic -n 6 --json 2>&1
latent data info synthetic --seed 0 2>&1
latent data show synthetic -n 3 -c 4096 2>&1
latent data info synthetic -n 6 2>&1
latent data sow 2>&1
latent data show synthetic -o six.xyz 2>&1
latent data show synthetic -n 6 --seed 3 -o other.npy 2>/dev/null; cmp -s six.npy other.npy || echo "others"
