/* SPDX-License-Identifier: MIT */
/* What a terminal may be given: control characters are written out, formats are those of the C library. */
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *shown(const char *bytes, size_t n, bool with_lines)
{
    static char to[400];
    size_t whole = lt_printable(to, sizeof to, bytes, n, with_lines);
    assert_int_equal(whole, strlen(to));
    return to;
}

static void controls_are_written_out(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain name.png", "plain name.png"},
        {"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x90\x88", "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x90\x88"},
        {"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
        {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
        {"\x7f\x07\x08", "\\u007f\\x07\\x08"},
        {"\xc2\x9b" "2J", "\\u009b2J"},                 /* CSI of Latin 1 */
        {"\x9b" "2J", "\\x9b2J"},                       /* the same as a byte: no UTF-8 */
        {"a\xe2\x80\xae" "gpj.exe", "a\\u202egpj.exe"}, /* right to left */
        {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069"},
        {"\xe2\x80\x8b\xef\xbb\xbf", "\\u200b\\ufeff"},
        {"\xf3\xa0\x80\x81", "\\udb40\\udc01"},         /* a tag, as JSON has it */
        {"caf\xe9", "caf\\xe9"},
        {"\xc0\xaf", "\\xc0\\xaf"},                     /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},            /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},   /* beyond the last character */
        {"\xe2\x80", "\\xe2\\x80"},                     /* cut off */
    };
    for (int i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(shown(cases[i][0], strlen(cases[i][0]), false), cases[i][1]);
    assert_string_equal(shown("a\0b", 3, false), "a\\x00b");
    assert_string_equal(shown("a\nb\tc\r", 6, true), "a\nb\tc\\r");
}

/* Nothing a terminal obeys comes out, whatever goes in. */
static void every_pair_of_bytes_is_tame(void **state)
{
    (void)state;
    for (int i = 0; i < 1 << 16; i++) {
        const char pair[2] = {(char)(i >> 8), (char)i};
        const char *text = shown(pair, 2, false);
        for (const char *p = text; *p; p++) {
            unsigned char byte = (unsigned char)*p;
            assert_true(byte >= 0x20 && byte != 0x7f);
            assert_false(byte == 0xc2 && (unsigned char)p[1] < 0xa0); /* U+0080 ... U+009F */
        }
    }
}

static void a_cut_is_between_characters(void **state)
{
    (void)state;
    char to[8];
    assert_int_equal(lt_printable(to, 6, "abc\x1b" "d", 5, false), 8);
    assert_string_equal(to, "abc");
    assert_int_equal(lt_printable(to, 3, "a\xc3\xa9", 3, false), 3);
    assert_string_equal(to, "a");
    assert_int_equal(lt_printable(NULL, 0, "ab", 2, false), 2);
}

static void check_format(const char *format, ...)
{
    char want[600], found[600];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(want, sizeof want, format, args);
    assert_int_equal(lt_printable_format(found, sizeof found, format, again), n);
    va_end(again);
    va_end(args);
    assert_string_equal(found, want);
}

static void formats_are_those_of_the_c_library(void **state)
{
    (void)state;
    check_format("no values, %%, two\nlines");
    check_format("%s %d %s", "a", -3, "b");
    check_format("[%5s] [%-5s] [%.2s] [%-6.3s] [%*s] [%-*s] [%.*s]", "ab", "ab", "abc", "abcdef", 4, "x",
                 4, "y", 2, "xyz");
    check_format("[%*d] [%-*d] [%*d]", 5, 1, 5, 2, -5, 3);
    check_format("%hd %hhd %ld %lld %jd %zu %td", 1, 2, 3L, 4LL, (intmax_t)-5, (size_t)6, (ptrdiff_t)7);
    check_format("%u %lu %llu %ju %x %X %o %#x %c", 1u, 2UL, 3ULL, (uintmax_t)4, 255, 255, 8, 255, 'c');
    check_format("%+d % d %05d %-5d| %.3d", 1, 2, 3, 4, 5);
    check_format("%g %f %.3f %e %10.2f %-10.2f %+.1f %a", 0.5, 1.5, 2.25, 1e-300, 3.14159, 2.71828, 1.0, 1.0);
    check_format("%Lg %f %s", 1.5L, 1e300, "after");
    check_format("%lld of %lld, %s: %s", 1LL << 40, 1LL << 41, "x", "y");
}

static void values_stay_on_their_line(void **state)
{
    (void)state;
    assert_int_equal(status_fail(LT_IO, "cannot read %s: %s\nwhat to do", "a\nb\x1b[2J", "no"), LT_IO);
    assert_string_equal(lt_last_error(), "cannot read a\\nb\\x1b[2J: no\nwhat to do");
    status_prefix(LT_IO, "%s", "x\ry");
    assert_string_equal(lt_last_error(), "x\\ry: cannot read a\\nb\\x1b[2J: no\nwhat to do");
    status_fail(LT_IO, "[%-8s] [%.2s]", "\x1b", "a\xc3\xa9");
    assert_string_equal(lt_last_error(), "[\\x1b    ] [a]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_written_out),
        cmocka_unit_test(every_pair_of_bytes_is_tame),
        cmocka_unit_test(a_cut_is_between_characters),
        cmocka_unit_test(formats_are_those_of_the_c_library),
        cmocka_unit_test(values_stay_on_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
