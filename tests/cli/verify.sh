# The checks with known answers: how they are told, and the exit code of a failure.
latent verify --quick > checks 2> log; echo "exit $?"
sed -E 's/^(ok|FAILED) +([^:]+):.*/\1 \2/' checks | uniq
grep -c . checks | awk '{ print ($1 > 100 ? "more than 100 lines" : $1 " lines") }'
sed -E 's/[0-9]+(\.[0-9]+)?( min [0-9]+)?/#/g' log
grep -E 'philox|threads: MLP' checks
echo "-- estimates"
latent verify --estimators --quick > table 2> log; echo "exit $?"; cat log
sed -E 's/[0-9.]*[0-9]\.[0-9]+/#/g; s/ +-?#/ #/g' table
awk 'length > 79' table
latent verify --estimators --quick --json | grep -oE '^\{"ok": [a-z]+|"right_side": true, "ok": true' | sort | uniq -c
echo "-- some of them"
latent verify --quick penalties "likelihoods: laplace" hinge 2> /dev/null; echo "exit $?"
echo "-- no place for files"
TMPDIR=/nowhere latent verify --quick 2> log | grep -v '^ok'; echo "exit ${PIPESTATUS[0]}"
TMPDIR=/nowhere latent verify --quick --json 2> /dev/null > v.json; echo "exit $?"
grep -oE '^\{"ok": [a-z]+|"failed": [0-9]+' v.json
grep -o '"ok": true, "text"' v.json | wc -l | awk '{ print ($1 > 100 ? "more than 100 good ones" : $1) }'
echo "-- not so"
latent verify everything 2>&1; echo "exit $?"
latent verify --estimators densities 2>&1; echo "exit $?"
latent verify --fast 2>&1; echo "exit $?"
