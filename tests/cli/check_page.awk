# Says what is wrong with a page of `latent report`: elements that do not nest, text that is not
# escaped, anything that would be asked for from elsewhere. Usage: awk -f check_page.awk PAGE
BEGIN {
    RS = "<"
    is_void["meta"] = is_void["link"] = is_void["img"] = is_void["br"] = 1
    n = split("div p ul ol dl table pre section figure h1 h2 h3 details main nav", names, " ")
    for (i = 1; i <= n; i++)
        is_block[names[i]] = 1
}
function wrong(text) { print FILENAME ": " text; bad = 1 }
function check_text(text) {
    if (depth > 0 && stack[depth] == "style")
        return
    gsub(/&(amp|lt|gt|quot|#39);/, "", text)
    if (text ~ /[&>]/)
        wrong("not escaped: " substr(text, 1, 60))
}
function check_attribute(tag, name, value,    rest) {
    if (name == "src" && value !~ /^data:image\/(png|svg[+]xml);base64,/)
        wrong("src of " substr(value, 1, 60))
    if (name == "href" && value !~ /^(data:|#)/)
        wrong("href of " substr(value, 1, 60))
    if (name == "href" && value ~ /^#/)
        is_wanted[substr(value, 2)] = 1
    if (name == "id" && value in has_id)
        wrong("two of id " value)
    if (name == "id")
        has_id[value] = 1
    if (name == "alt")
        has_alt = value != ""
    if (name ~ /^on/)
        wrong("a script: " name)
    rest = value
    check_text(rest)
}
NR == 1 { if ($0 != "") wrong("text before the page"); next }
/https?:\/\/|url\(|@import/ { wrong("from elsewhere: " substr($0, 1, 60)) }
{
    end = index($0, ">")
    tag = substr($0, 1, end - 1)
    text = substr($0, end + 1)
    if (end == 0) {
        wrong("a tag without end: " substr($0, 1, 60))
        next
    }
    if (NR == 2 && tag != "!DOCTYPE html")
        wrong("no doctype")
    if (tag ~ /^!/) {
        check_text(text)
        next
    }
    if (tag ~ /^\//) {
        if (depth == 0 || stack[depth] != substr(tag, 2))
            wrong(tag " closes " (depth ? stack[depth] : "nothing"))
        depth--
        check_text(text)
        next
    }
    name = tag
    sub(/[ \n].*/, "", name)
    rest = substr(tag, length(name) + 1)
    has_alt = 0
    while ((at = index(rest, "=\"")) > 0) {
        key = substr(rest, 1, at - 1)
        rest = substr(rest, at + 2)
        stop = index(rest, "\"")
        value = substr(rest, 1, stop - 1)
        rest = substr(rest, stop + 1)
        gsub(/[ \n]/, "", key)
        check_attribute(name, key, value)
    }
    if (rest ~ /[^ \n]/)
        wrong("attributes of " name ": " rest)
    if (name == "img" && !has_alt)
        wrong("an image without words")
    if (name == "script")
        wrong("a script")
    if (depth > 0 && stack[depth] == "p" && name in is_block)
        wrong(name " in a paragraph")
    count[name]++
    if (!(name in is_void))
        stack[++depth] = name
    check_text(text)
}
END {
    if (depth != 0)
        wrong(stack[depth] " is not closed")
    for (id in is_wanted)
        if (!(id in has_id))
            wrong("no id " id)
    if (count["h1"] != 1 || count["title"] != 1 || count["main"] != 1)
        wrong("not one title")
    if (!bad)
        printf "%d sections, %d pictures, %d tables\n", count["section"], count["img"], count["table"]
    exit bad
}
