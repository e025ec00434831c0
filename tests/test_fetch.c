/* SPDX-License-Identifier: MIT */
/* Downloads from a server of our own on 127.0.0.1, which can misbehave. The built-in mirrors are
   reached through a proxy, and the proxy is that server too: nothing leaves this machine. */
#include <latent/data.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/catalog.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

/* ---- The server ---- */

static struct server {
    int socket;
    pthread_t thread;
    const char *root;     /* files to serve, by the last part of the path; or NULL */
    const char *constant; /* or: this content, for everything under /mnist */
    size_t cut;           /* close the connection after so many bytes of the first reply */
    bool has_no_ranges;   /* always send everything, with status 200 */
    bool is_silent;       /* accept, never answer */
    bool is_endless;
    bool is_slow; /* a few bytes per second */
    atomic_int requests, resumed,
        foreign; /* under /mnist; of these with a range; for other hosts */
} server;

static void send_all(int fd, const void *data, size_t n)
{
    for (const char *p = data; n > 0;) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0)
            return;
        p += k;
        n -= (size_t)k;
    }
}

static void send_head(int fd, const char *status, size_t start, size_t size)
{
    char head[256];
    snprintf(head, sizeof head,
             "HTTP/1.1 %s\r\nContent-Length: %zu\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
             "Connection: close\r\n\r\n",
             status, size - start, start, size - 1, size);
    send_all(fd, head, strlen(head));
}

static void send_content(int fd, const char *request, const bytes *b)
{
    const char *range = strstr(request, "Range: bytes=");
    size_t start = range ? strtoul(range + 13, NULL, 10) : 0, n = b->size;
    server.resumed += range != NULL;
    if (server.has_no_ranges)
        start = 0, range = NULL;
    if (range && start >= b->size) {
        send_head(fd, "416 Range Not Satisfiable", 0, 9);
        send_all(fd, "too far!\n", 9);
        return;
    }
    if (server.is_endless) { /* a head without a length, and no end */
        send_all(fd, "HTTP/1.0 200 OK\r\n\r\n", 19);
        for (int i = 0; i < 1000; i++)
            send_all(fd, b->data, b->size);
        return;
    }
    send_head(fd, range ? "206 Partial Content" : "200 OK", start, b->size);
    if (server.is_slow) {
        for (int i = 0; i < 60; i++) {
            if (send(fd, b->data + start, 1, MSG_NOSIGNAL) != 1)
                return;
            poll(&(struct pollfd){.fd = -1}, 1, 300);
        }
        return;
    }
    if (server.cut && server.requests == 1)
        n = server.cut;
    send_all(fd, b->data + start, n - start);
}

static void answer(int fd, const char *request)
{
    char path[200];
    if (server.is_silent) {
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000); /* until it gives up */
        return;
    }
    if (sscanf(request, "GET /mnist/%199s", path) != 1) {
        server.foreign++;
        send_head(fd, "404 Not Found", 0, 1);
        send_all(fd, "\n", 1);
        return;
    }
    server.requests++;
    bytes b = {0};
    char *file = file_join(server.root ? server.root : "/none", path);
    if (server.constant)
        b = (bytes){(unsigned char *)must_copy_text(server.constant), strlen(server.constant)};
    if (server.constant || file_read(file, 1 << 30, &b) == LT_OK)
        send_content(fd, request, &b);
    else
        send_head(fd, "404 Not Found", 0, 0);
    bytes_clear(&b);
    free(file);
}

static void *serve(void *nothing)
{
    (void)nothing;
    for (;;) {
        int fd = accept(server.socket, NULL, NULL);
        if (fd < 0)
            return NULL;
        char request[4096];
        size_t n = 0;
        ssize_t k;
        while (n < sizeof request - 1 &&
               (k = recv(fd, request + n, sizeof request - 1 - n, 0)) > 0) {
            n += (size_t)k;
            request[n] = 0;
            if (strstr(request, "\r\n\r\n"))
                break;
        }
        request[n] = 0;
        if (n)
            answer(fd, request);
        close(fd);
    }
}

/* ---- A directory and a server for each test ---- */

static char dir[64];

static int start(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/latent-fetch-XXXXXX");
    server = (struct server){.socket = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (!mkdtemp(dir) || bind(server.socket, (struct sockaddr *)&address, size) != 0 ||
        listen(server.socket, 16) != 0 ||
        getsockname(server.socket, (struct sockaddr *)&address, &size) != 0)
        return -1;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    setenv("LATENT_MIRROR", url, 1);
    setenv("http_proxy", url, 1);
    setenv("https_proxy", url, 1);
    setenv("no_proxy", "127.0.0.1", 1);
    setenv("XDG_CACHE_HOME", dir, 1);
    unsetenv("LATENT_DATA");
    unsetenv("NO_PROXY");
    unsetenv("ALL_PROXY");
    unsetenv("all_proxy");
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop(void **state)
{
    (void)state;
    shutdown(server.socket, SHUT_RDWR); /* accept returns */
    pthread_join(server.thread, NULL);
    close(server.socket);
    char *command = must_format("rm -rf '%s'", dir);
    int status = system(command);
    free(command);
    return status;
}

static void needs_mnist(void)
{
    server.root = SHARED_DATA "/mnist";
    if (file_is_directory(server.root))
        return;
    print_message("skipped: %s is missing\n", server.root);
    skip();
}

/* Of the cache, where MNIST goes; lives until the next call. */
static const char *cached(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/latent/mnist/%s", dir, name);
    return path;
}

static const char FIRST[] = "train-images-idx3-ubyte.gz";
static const char PART[] = "train-images-idx3-ubyte.gz.part";

/* The first `n` bytes of the first file, as if an earlier download had left them. */
static void put_part(size_t n, bool with_garbage)
{
    bytes b;
    char *file = file_join(server.root, FIRST);
    assert_int_equal(file_read(file, 1 << 30, &b), LT_OK);
    free(file);
    assert_true(n <= b.size);
    if (with_garbage)
        memset(b.data, 'x', n);
    assert_int_equal(file_make_directories(cached("")), LT_OK);
    assert_int_equal(file_write(cached(PART), b.data, n ? n : b.size), LT_OK);
    bytes_clear(&b);
}

static void assert_says(const char *words)
{
    if (!strstr(lt_last_error(), words))
        fail_msg("expected '%s' in the message: %s", words, lt_last_error());
}

static void assert_fetched(int requests, int resumed)
{
    int status = lt_data_fetch("mnist", NULL);
    if (status != LT_OK)
        fail_msg("%s: %s", lt_status_name(status), lt_last_error());
    assert_int_equal(server.requests, requests);
    assert_int_equal(server.resumed, resumed);
    assert_int_equal(server.foreign, 0);
    assert_int_equal(lt_data_verify("mnist", NULL), LT_OK);
    char **names;
    int n;
    assert_int_equal(file_list(cached(""), NULL, &names, &n), LT_OK);
    assert_int_equal(n, 4);
    file_list_free(names, n);
}

static void assert_nothing_left(void)
{
    assert_false(file_exists(cached(FIRST)));
    assert_false(file_exists(cached(PART)));
}

/* ---- What goes well ---- */

static bool add_up(void *user, const char *file, int64_t done, int64_t total)
{
    int64_t *largest = user;
    assert_true(total == 0 || done <= total);
    *largest = strcmp(file, FIRST) == 0 && done > *largest ? done : *largest;
    return true;
}

static void fetched_set_opens_and_is_not_fetched_again(void **state)
{
    (void)state;
    needs_mnist();
    int64_t largest = 0;
    lt_fetch_options o = {.progress = add_up, .user = &largest};
    assert_int_equal(lt_data_fetch("mnist", &o), LT_OK);
    bytes b;
    assert_int_equal(file_read(cached(FIRST), 1 << 30, &b), LT_OK);
    assert_int_equal(largest, b.size);
    bytes_clear(&b);
    assert_fetched(4, 0);
    lt_dataset *d;
    assert_int_equal(lt_dataset_open("mnist", NULL, &d), LT_OK);
    assert_string_equal(lt_dataset_describe(d)->name, "mnist");
    assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 60000);
    lt_dataset_free(d);
}

static void broken_connection_is_resumed(void **state)
{
    (void)state;
    needs_mnist();
    server.cut = 1000000;
    assert_fetched(5, 1);
}

static void earlier_part_is_continued(void **state)
{
    (void)state;
    needs_mnist();
    put_part(5000000, false);
    assert_fetched(4, 1);
}

static void complete_part_needs_no_more(void **state)
{
    (void)state;
    needs_mnist();
    put_part(0, false);
    assert_fetched(4, 1);
}

static void part_with_garbage_is_fetched_anew(void **state)
{
    (void)state;
    needs_mnist();
    put_part(1000, true);
    assert_fetched(5, 1);
}

static void server_without_ranges_sends_all(void **state)
{
    (void)state;
    needs_mnist();
    server.has_no_ranges = true;
    put_part(5000000, false);
    assert_fetched(5, 1);
}

static void damaged_file_is_replaced(void **state)
{
    (void)state;
    needs_mnist();
    assert_int_equal(file_make_directories(cached("")), LT_OK);
    assert_int_equal(file_write(cached("t10k-labels-idx1-ubyte"), "bad", 3), LT_OK);
    assert_fetched(4, 0);
    assert_false(file_exists(cached("t10k-labels-idx1-ubyte")));
}

/* ---- What goes wrong ---- */

static void wrong_content_is_deleted(void **state)
{
    (void)state;
    server.constant = "something else";
    assert_int_equal(lt_data_fetch("mnist", NULL), LT_FORMAT);
    assert_nothing_left();
    assert_says("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
    char found[SHA256_TEXT];
    sha256_text(server.constant, strlen(server.constant), found);
    assert_says(found);
    assert_says("http://127.0.0.1:");
    assert_true(server.foreign > 0); /* the other mirrors were tried */
}

static void endless_content_is_cut_off(void **state)
{
    (void)state;
    char *chunk = must_alloc(100001);
    memset(chunk, 'z', 100000);
    server.constant = chunk;
    server.is_endless = true;
    assert_int_equal(lt_data_fetch("mnist", NULL), LT_FORMAT);
    assert_says("larger than the 47040016 bytes of the published file");
    assert_nothing_left();
    free(chunk);
}

static void absent_everywhere_says_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(lt_data_fetch("mnist", NULL), LT_NETWORK);
    assert_says("mnist could not be downloaded from any of 3 places");
    assert_says("/latent/mnist, or say where they are");
    assert_says("--data DIR");
    assert_nothing_left();
    assert_int_equal(lt_data_fetch("fashion-mnist", NULL), LT_NETWORK);
    assert_says("apt install dataset-fashion-mnist");
    assert_int_equal(lt_data_fetch("mnits", NULL), LT_NOT_FOUND);
    assert_says("did you mean 'mnist'?");
}

static void silent_server_times_out(void **state)
{
    (void)state;
    server.is_silent = true;
    lt_fetch_options o = {.timeout = 1};
    assert_int_equal(lt_data_fetch("mnist", &o), LT_NETWORK);
    o.timeout = -1;
    assert_int_equal(lt_data_fetch("mnist", &o), LT_VALUE);
}

static void trickle_ends_with_its_reason(void **state)
{
    (void)state;
    needs_mnist();
    server.is_slow = true;
    lt_fetch_options o = {.timeout = 1};
    assert_int_equal(lt_data_fetch("mnist", &o), LT_NETWORK);
    assert_int_equal(server.requests, 1);
}

/* What lies where the bytes would gather, and must not get any. */
static void traps_are_left_alone(void **state)
{
    (void)state;
    needs_mnist();
    char *victim = must_format("%s/victim", dir);
    assert_int_equal(file_write(victim, "mine", 4), LT_OK);
    assert_int_equal(file_make_directories(cached("")), LT_OK);
    static const char *const words[] = {"a symbolic link", "not a regular file", "a directory",
                                        "hard link"};
    for (int i = 0; i < COUNT_OF(words); i++) {
        int made = i == 0   ? symlink(victim, cached(PART))
                   : i == 1 ? mkfifo(cached(PART), 0600)
                   : i == 2 ? mkdir(cached(PART), 0700)
                            : link(victim, cached(PART));
        assert_int_equal(made, 0);
        assert_int_equal(lt_data_fetch("mnist", NULL), LT_IO);
        assert_says(words[i]);
        assert_int_equal(remove(cached(PART)), 0);
    }
    assert_int_equal(server.requests, 0);
    bytes b;
    assert_int_equal(file_read(victim, 100, &b), LT_OK);
    assert_int_equal(b.size, 4);
    bytes_clear(&b);
    free(victim);
}

static bool stop_after(void *user, const char *file, int64_t done, int64_t total)
{
    (void)file, (void)total;
    return done < *(int64_t *)user;
}

static void stopped_download_is_continued(void **state)
{
    (void)state;
    needs_mnist();
    int64_t limit = 1000000;
    lt_fetch_options o = {.progress = stop_after, .user = &limit};
    assert_int_equal(lt_data_fetch("mnist", &o), LT_INTERRUPTED);
    assert_true(file_exists(cached(PART)));
    assert_false(file_exists(cached(FIRST)));
    assert_fetched(5, 1);
}

static void unwritable_place_is_an_error(void **state)
{
    (void)state;
    char *file = must_format("%s/file", dir), *below = must_format("%s/below", file);
    assert_int_equal(file_write(file, "", 0), LT_OK);
    lt_fetch_options o = {.directory = below};
    assert_true(lt_data_fetch("mnist", &o) != LT_OK);
    assert_says(file);
    assert_int_equal(server.requests, 0);
    free(file);
    free(below);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(fetched_set_opens_and_is_not_fetched_again),
        TEST(broken_connection_is_resumed),
        TEST(earlier_part_is_continued),
        TEST(complete_part_needs_no_more),
        TEST(part_with_garbage_is_fetched_anew),
        TEST(server_without_ranges_sends_all),
        TEST(damaged_file_is_replaced),
        TEST(wrong_content_is_deleted),
        TEST(endless_content_is_cut_off),
        TEST(absent_everywhere_says_what_to_do),
        TEST(silent_server_times_out),
        TEST(trickle_ends_with_its_reason),
        TEST(traps_are_left_alone),
        TEST(stopped_download_is_continued),
        TEST(unwritable_place_is_an_error),
    };
    return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
