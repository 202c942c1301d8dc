/*
 * main - runs a fuzz target without libFuzzer.
 *
 *     fuzz_NAME FILE...                    each file's bytes
 *     fuzz_NAME --random N [--seed S]      N inputs: noise, and mutated samples
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUT_SIZE = 64 * 1024, NOISE_SIZE = 300, MUTATIONS = 6 };

static uint64_t random_state;

__attribute__((weak)) size_t fuzz_sample(uint8_t *room, size_t size)
{
    (void)room;
    (void)size;
    return 0;
}

/* splitmix64 */
static uint64_t random_below(uint64_t bound)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % bound;
}

/* A byte that numbers like to go wrong at, or any. */
static uint8_t odd_byte(void)
{
    static const uint8_t odd[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

    if (random_below(2) == 0)
        return (uint8_t)random_below(256);
    return odd[random_below(sizeof(odd))];
}

static size_t mutate(uint8_t *data, size_t size)
{
    size_t at = size > 0 ? (size_t)random_below(size) : 0;
    size_t part = size > at ? (size_t)random_below(size - at) : 0;

    switch (random_below(5)) {
    case 0: /* flip */
        if (size > 0)
            data[at] ^= (uint8_t)(1 << random_below(8));
        return size;
    case 1: /* set */
        if (size > 0)
            data[at] = odd_byte();
        return size;
    case 2: /* cut the end */
        return at;
    case 3: /* take out */
        memmove(data + at, data + at + part, size - at - part);
        return size - part;
    default: /* double a part */
        if (size + part > INPUT_SIZE)
            return size;
        memmove(data + at + part, data + at, size - at);
        return size + part;
    }
}

static size_t noise(uint8_t *data)
{
    size_t size = (size_t)random_below(NOISE_SIZE);

    for (size_t i = 0; i < size; i++)
        data[i] = odd_byte();
    return size;
}

/* In memory of the exact size, so that a sanitizer sees a read past it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    ASSERT(exact != NULL);
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void run_random(uint64_t count)
{
    static uint8_t sample[INPUT_SIZE], data[INPUT_SIZE];
    size_t sample_size = fuzz_sample(sample, sizeof(sample));

    run(sample, sample_size);
    for (uint64_t i = 0; i < count; i++) {
        size_t size = sample_size;

        if (random_below(4) == 0) {
            size = noise(data);
        } else {
            memcpy(data, sample, size);
            for (uint64_t k = random_below(MUTATIONS) + 1; k > 0; k--)
                size = mutate(data, size);
        }
        run(data, size);
    }
}

static bool run_file(const char *name)
{
    static uint8_t data[INPUT_SIZE];
    FILE *file = fopen(name, "rb");

    if (file == NULL) {
        perror(name);
        return false;
    }
    run(data, fread(data, 1, sizeof(data), file));
    fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    uint64_t count = 0;
    int i = 1;

    if (sodium_init() < 0)
        return 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);

        if (strcmp(argv[i], "--random") == 0)
            count = value;
        else if (strcmp(argv[i], "--seed") == 0)
            random_state = value;
        else
            return 2;
    }
    run_random(count);
    for (; i < argc; i++)
        if (!run_file(argv[i]))
            return 1;
    return 0;
}
