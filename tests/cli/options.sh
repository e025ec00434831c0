# Every option of every command: one meaning each, refused where it would have no effect, and outputs that cannot be
# written found before any work.
try() { echo "-- latent $*"; timeout 60 latent "$@" 2>&1; echo "exit $?"; }
latent help --json | sed 's/{"name": "/\n&/g' | awk -f "$TESTS/cli/options.awk" > rows
latent help | sed -n '/^Train:/,$p' | grep -oE '^  [a-z]+ ' | tr -d ' ' | sort > known
cut -d '~' -f 1 rows | sort -u | diff known - && [ $(grep -c . rows) -gt 150 ] && echo "every command"

echo "== one name has one letter, one kind of value and one help text; one letter has one name"
awk -F '~' '
    { shown = $4 "|" $5 "|" $6 "|" $7 }
    ($3 in meaning) && meaning[$3] != shown { print "--" $3 " in " first[$3] " and " $1 ": " meaning[$3] " / " shown }
    !($3 in meaning) { meaning[$3] = shown; first[$3] = $1 }
    $4 != "" && ($4 in name) && name[$4] != $3 { print "-" $4 " is --" name[$4] " and --" $3 }
    $4 != "" { name[$4] = $3 }
    $4 == "h" || $3 == "help" { print "-h is help" }' rows

# operands COMMAND N ACTIONS: what such a command takes; nothing of it exists
operands() {
    [ -n "$3" ] && set -- "$1" $(($2 - 1)) "${3%% *}" && echo "$3"
    for ((i = 0; i < $2; i++)); do [ "$1 $i" = "plot 0" ] && [ $2 = 2 ] && echo curves || echo "none$i"; done
    [ "$1" = data ] && echo synthetic
    [ "$1" = score ] && echo "--against none"
}
# refused WORDS...: usage, and a message about the first option
refused() {
    local option=$1; shift
    latent "$@" > said 2>&1; local code=$?
    [ $code = 2 ] && grep -q -- "--$option" said || { echo "taken: latent $*: exit $code"; cat said; }
}

echo "== an option that has effect beside another is refused without it, and beside what it does not go with"
while IFS='~' read -r command n name letter kind operand help needs clashes actions value ending; do
    given=(--$name); [ $kind = switch ] || given+=("$value$ending")
    words=$(operands $command $n "$actions")
    [ -z "$needs" ] || { refused $name $command $words "${given[@]}"; echo "$command --$name: $needs"; }
    for other in $clashes; do
        row=$(grep "^$command~[0-9]*~$other~" rows)
        IFS='~' read -r _ _ _ _ its _ _ wanted _ _ fits end <<< "$row"
        beside=(--$other); [ $its = switch ] || beside+=("$fits$end")
        for more in $needs $wanted; do [[ " ${given[*]} ${beside[*]} " = *" --$more "* ]] || beside+=("--$more"); done
        refused "\($name\|$other\)" $command $words "${given[@]}" "${beside[@]}"
        echo "$command --$name: not $other"
    done
    if [ -n "$actions" ]; then
        wrong=$([ $command = plot ] && echo "bounds latents curves" || echo "fetch list")
        for action in $wrong; do
            [[ " $actions " = *" $action "* ]] || { refused $name $command $action synthetic "${given[@]}"; break; }
        done
    fi
done < rows
echo "== the pairs, from a list of their own"
refused samples eval none --samples 100
refused ais-from eval none --ais-from posterior
refused samples report none --samples 100
refused stops animate none --stops 3
refused lambda divergence -m kl --lambda 3
refused title sample none -o x.npy --title T
refused columns data show synthetic -o x.npy -c 3
refused zoom traverse none -o x.npy --zoom 3
refused loops animate none --walk -o x.npy --loops 2
refused set recipes -s seed=2
try recipes --networks

echo "== an output that cannot be written is found before the work: none of the operands exists"
mkdir dir dir.png dir.html dir.npz dir.npy dir.csv dir.webp; : > file
while IFS='~' read -r command n name letter kind operand help needs clashes actions value ending; do
    [ $kind = output ] || [ $kind = folder ] || continue
    words=$(operands $command $n "$actions")
    company=${needs%% *}; company=${company:+--$company}
    for path in no/such/x$ending dir$ending file/x$ending $([ $kind = output ] && echo x.exe); do
        [ $kind = folder ] && [ $path = dir -o $path = no/such/x ] && continue
        latent $command $words $company --$name $path > said 2>&1; code=$?
        [ $code != 0 ] && grep -q -- "--$name: " said || { echo "not found: latent $command $words --$name $path: exit $code"; cat said; }
    done
    echo "$command --$name"
done < rows
ls -A
try report none -o no/x.html
try report none -o x.png
try plot curves none -o "it's/a b.png"
try eval none --per-image x.txt
try eval none --nearest x.png --per-image x.csv --features x.npz --samples-out file
try score ./images.npy --against none --samples-out ./images.npy
cp file images.npy; try score images.npy --against none --samples-out ./images.npy
latent help --json eval | head -c 60; echo
