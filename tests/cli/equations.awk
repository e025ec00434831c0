# Whether what is printed adds up, to the last digit. Fails with the line.
function size(x) { return x < 0 ? -x : x }
function wrong(why) { print FILENAME ": " why ": " $0; bad = 1 }
function near(sum, of, why) { if (size(sum - of) > 0.001) wrong(why " " sum " is not " of) }

# "epoch           loss = distortion + beta x rate     rate    valid  beta"
# "epoch 1/2      12.30 =      10.00 +        2.40     1.20    11.90  1 -> 3"
/^epoch +loss = / { has_rate = /beta x rate .*rate +/; next }
/^epoch +[0-9]+\// && / = / {
    for (i = 1; $i != "="; i++);
    loss = $(i - 1); sum = $(i + 1); second = $(i + 3)
    for (i += 2; $i == "+" || $i == "-"; i += 2) sum += $i $(i + 1)
    near(sum, loss, "the parts come to")
    if (has_rate && $(NF - 1) != "->") # steady: the product of the means is theirs
        if (size(second - $i * $NF) > 0.0051 * (1 + $NF)) wrong("beta x rate")
    lines++
}

# rows of `latent explain`: "   rate   1.20  words", " = loss  12.30  words"
/^Training loss|^Reported/ { total = 0; inside = 1; next }
/^$/ { inside = 0 }
inside && /^( =|  ) [-a-zA-Z]/ && match(substr($0, 4, 22), / -?[0-9]+\.[0-9]+ *$/) {
    value = substr($0, 3 + RSTART, RLENGTH) + 0
    if ($0 ~ /bits\/dim/) next
    if ($1 == "=") { near(total, value, "the terms come to"); sums++ }
    else total += value
}
# rows of `latent eval`: "  rate   1.20 +- 0.10  words"
/^  (-ELBO|rate|distortion|mutual information|aggregate KL|NLL, K = 30|-ELBO less NLL|AIS|AIS less NLL)  / {
    row[substr($0, 3, index(substr($0, 3), "  ") - 1)] = substr($0, 21, 11) + 0
}
END {
    if ("-ELBO" in row) {
        near(row["distortion"] + row["rate"], row["-ELBO"], "distortion + rate come to")
        near(row["mutual information"] + row["aggregate KL"], row["rate"], "the parts of the rate come to")
        near(row["AIS"] - row["NLL, K = 30"], row["AIS less NLL"], "AIS less NLL is")
        near(row["-ELBO"] - row["NLL, K = 30"], row["-ELBO less NLL"], "-ELBO less NLL is")
        sums += 4
    }
    if (!bad) print lines + 0 " equations, " sums + 0 " sums"
    exit bad
}
