# Reads the list of mutants, and then prints for each of the wanted ones
#   ID FILE IN SHORT CHECKS|TESTS
# (a tab between them), or, with -v plant=ID, the source of its file with the mistake in it. Every text
# that is replaced must stand in its file exactly once.
function fail(what) { print FILENAME ":" line ": " id ": " what > "/dev/stderr"; failed = 1 }
function slurp(path,    all, row, n) {
    all = ""
    while ((n = (getline row < path)) > 0)
        all = all row "\n"
    close(path)
    if (n < 0)
        fail("cannot read " path)
    return all
}
function finish(    all, at, rest) {
    if (id == "")
        return
    if (tests == "")
        fail("no test program is named that must find it")
    all = slurp(root "/" file)
    at = index(all, from)
    rest = at ? substr(all, at + length(from)) : ""
    if (!at)
        fail("\"" from "\" is not in " file)
    else if (index(rest, from))
        fail("\"" from "\" is in " file " more than once")
    else if (from == to)
        fail("nothing is changed")
    else if (plant == id)
        printf "%s", substr(all, 1, at - 1) to rest
    else if (plant == "")
        print id "\t" file "\t" compiled "\t" short "\t" checks "\t" tests
    if (id in seen)
        fail("is there twice")
    seen[id] = 1
    id = ""
}
/^#/ || /^$/ { next }
/^[^ ]/ && !/^[-+?&] / {
    finish()
    line = FNR
    id = $1; file = $2; compiled = $2; short = "no"; from = to = checks = tests = ""
    for (i = 3; i <= NF; i++)
        if ($i == "short")
            short = "yes"
        else
            compiled = $i
    next
}
/^- / { from = from (from == "" ? "" : "\n") substr($0, 3); next }
/^\+ / { to = to (to == "" ? "" : "\n") substr($0, 3); next }
/^\+$/ { next }
/^\? / { checks = checks (checks == "" ? "" : ";") substr($0, 3); next }
/^& / { tests = tests (tests == "" ? "" : " ") substr($0, 3); next }
END {
    finish()
    exit failed
}
