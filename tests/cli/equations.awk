# Whether what is printed adds up, to half a digit of each number. Fails with the line.
function size(x) { return x < 0 ? -x : x }
function wrong(why) { print FILENAME ": " why ": " $0; bad = 1 }
function near(sum, of, n, why) { if (size(sum - of) > 0.0051 * (n + 1)) wrong(why " " sum " is not " of) }

# "epoch 1/2  step 9  12.30 nats = 10.00 + 2.40 - 0.10 (rate 1.20, beta 1 -> 3)"
/^epoch .* nats = / {
    for (i = 1; $i != "nats"; i++);
    loss = $(i - 1); sum = $(i + 2); n = 1; second = $(i + 4)
    for (i += 3; $i == "+" || $i == "-"; i += 2) { sum += $i $(i + 1); n++ }
    near(sum, loss, n, "the parts come to")
    if (match($0, /\(rate [0-9.]+, beta [0-9.e-]+\)/)) { # steady: the product of the means is theirs
        split(substr($0, RSTART, RLENGTH), part, /[ ,()]+/)
        if (size(second - part[3] * part[5]) > 0.0051 * (1 + part[5])) wrong("beta x rate")
    }
    lines++
}

# rows of `latent explain`: "   rate   1.20  words", " = loss  12.30  words"
/^What training|^What is reported/ { total = 0; n = 0; inside = 1; next }
/^$/ { inside = 0 }
inside && /^( =|  ) [-a-zA-Z]/ && match(substr($0, 4, 22), / -?[0-9]+\.[0-9]+ *$/) {
    value = substr($0, 3 + RSTART, RLENGTH) + 0
    if ($0 ~ /bits\/dim/) next
    if ($1 == "=") { near(total, value, n, "the terms come to"); sums++ }
    else { total += value; n++ }
}
END { if (!bad) print lines + 0 " equations, " sums + 0 " sums"; exit bad }
