# The overview, a page, and what is said to mistakes on the command line.
latent help
echo "-- a page, in both ways"
latent help resume
latent resume --help | diff - <(latent help resume) && echo same
echo "-- no command"
latent > /dev/null; echo "exit $?"
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
try evla
try train
try train a b
try train --epochs fashion-mlp-vae
try train fashion-mlp-vae --epochs 0
try train fashion-mlp-vae --threads 1.5
try train fashion-mlp-vae --executor gpu
try train fashion-mlp-vae --sed 1
try train fashion-mlp-vae --set
try eval runs/x --split tset
try eval runs/x --iwae 5,0
try eval runs/x --iwae 5,x
try eval runs/x --ais 16
try eval runs/x --ais 16,100,3
try help trian
try data lst
try data info
try data list mnist
try data list --dir x
try recipes ift6135-vae
try recipes show
try recipes show ift6135-vae --json
try recipes --networks
try list layers liner
try list layer
try list conv
try layers
try train fashion-mlp-vae --out ''
try eval ''
try sample runs/x -o /dev/null
echo "-- closed streams"
latent version >&- 2> /dev/null; echo "exit $?"
latent version 2>&- > /dev/null; echo "exit $?"
