#include "edge/cli/command.h"

#include "common/base/hex.h"
#include "common/conf/identity.h"
#include "common/conf/keyfile.h"

#include <sodium.h>

#include <stdio.h>

static const struct options_spec spec = {
    .program = "zs keygen",
    .synopsis = "[FILE]",
    .about = "Makes a node's key on this device: FILE, mode 0600. "
             "Prints the node's id,\n"
             "which is no secret. Without FILE prints the key itself to "
             "standard output.",
    .positional_max = 1,
    .epilogue = "The owner of the mesh certifies the id:\n"
                "  zs mesh add NAME --dir DIR --key ID\n"
                "This makes a file NAME.zs without a key: put that file "
                "beside NAME.key here.",
};

static int generate(const char *path)
{
    struct keytext text = {0};
    uint8_t key[64];
    char id[2 * KEY_SIZE + 1];
    bool done;

    node_key_generate(key);
    node_key_write(&text, key);
    hex_encode(bytes_of(key + 32, KEY_SIZE), id);
    sodium_memzero(key, sizeof(key));
    if (path == NULL) {
        done = fwrite(text.data, 1, text.size, stdout) == text.size;
    } else {
        done = keyfile_write(path, &text, 0600, KEYFILE_NEW, stderr);
        if (done) {
            printf("%s\n", id);
            fprintf(stderr, "zs: wrote %s; keep it secret\n", path);
        }
    }
    keytext_close(&text);
    return done ? EXIT_DONE : EXIT_FAILED;
}

static int run_keygen(const struct options *o)
{
    if (sodium_init() < 0)
        return command_fail(EXIT_FAILED, "the system has no randomness");
    return generate(o->positional_count > 0 ? o->positionals[0] : NULL);
}

int cmd_keygen(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_keygen);
}
