#include "edge/cli/mesh_key_option.h"

#include "common/base/hex.h"
#include "common/conf/keyfile.h"

#include <stdio.h>
#include <unistd.h>

/* Reads a file whose whole content is an id; false if it is none. */
static bool is_id_file(const char *path, struct node_id *id)
{
    size_t size;
    char *text = keyfile_read(path, KEYFILE_PUBLIC, &size, stderr);
    bool is = false;

    if (text != NULL) {
        text[strcspn(text, " \r\n")] = '\0';
        is = hex_decode(text, id->key, KEY_SIZE);
    }
    keyfile_wipe(text, text != NULL ? size : 0);
    return is;
}

bool mesh_key_option(const char *text, struct edge_identity *to)
{
    struct curve_key curve;
    bool is_file = access(text, F_OK) == 0;

    to->has_key = false;
    if (is_file && !is_id_file(text, &to->said.node)) {
        if (!node_key_load(text, to->secret_key, stderr))
            return false;
        to->said.node = node_key_id(to->secret_key);
        to->has_key = true;
    } else if (!is_file && !hex_decode(text, to->said.node.key, KEY_SIZE)) {
        fprintf(stderr, "%s: No such file, and no id of 64 digits\n", text);
        return false;
    }
    if (!node_curve_key(&to->said.node, &curve)) {
        fprintf(stderr, "%s: no node can have this id\n", text);
        return false;
    }
    return true;
}
