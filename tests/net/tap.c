/*
 * tap - records every frame that a program receives from libzmq, or from a
 * relay's door, after CURVE has decrypted it, and every end-to-end sealed text
 * that the program opens.
 *
 *     ZS_TAP=FILE LD_PRELOAD=tap.so zs-relay ...
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

static void record(const void *bytes, size_t size)
{
    static int fd = -1;
    if (fd < 0) {
        const char *file = getenv("ZS_TAP");
        fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                  : -1;
    }
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort(); /* An incomplete record would prove nothing. */
}

int zmq_msg_recv(zmq_msg_t *msg, void *socket, int flags)
{
    static int (*real)(zmq_msg_t *, void *, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "zmq_msg_recv");
    int size = real(msg, socket, flags);
    if (size >= 0)
        record(zmq_msg_data(msg), (size_t)size);
    return size;
}

/* The door lends each packet that it received, and each that it sends: bytes
 * that nobody frees. */
int zmq_msg_init_data(zmq_msg_t *msg, void *data, size_t size,
                      zmq_free_fn *free_fn, void *hint)
{
    static int (*real)(zmq_msg_t *, void *, size_t, zmq_free_fn *, void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "zmq_msg_init_data");
    if (!free_fn)
        record(data, size);
    return real(msg, data, size, free_fn, hint);
}

int zmq_recv(void *socket, void *room, size_t room_size, int flags)
{
    static int (*real)(void *, void *, size_t, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "zmq_recv");
    int size = real(socket, room, room_size, flags);
    if (size >= 0)
        record(room, (size_t)size < room_size ? (size_t)size : room_size);
    return size;
}

int crypto_aead_chacha20poly1305_ietf_decrypt(
    unsigned char *to, unsigned long long *size, unsigned char *unused,
    const unsigned char *from, unsigned long long from_size,
    const unsigned char *more, unsigned long long more_size,
    const unsigned char *nonce, const unsigned char *key)
{
    static int (*real)(unsigned char *, unsigned long long *, unsigned char *,
                       const unsigned char *, unsigned long long,
                       const unsigned char *, unsigned long long,
                       const unsigned char *, const unsigned char *);
    if (!real)
        *(void **)&real =
            dlsym(RTLD_NEXT, "crypto_aead_chacha20poly1305_ietf_decrypt");
    int result =
        real(to, size, unused, from, from_size, more, more_size, nonce, key);
    if (result == 0)
        record(to, from_size - crypto_aead_chacha20poly1305_ietf_ABYTES);
    return result;
}

int crypto_aead_aes256gcm_decrypt_afternm(
    unsigned char *to, unsigned long long *size, unsigned char *unused,
    const unsigned char *from, unsigned long long from_size,
    const unsigned char *more, unsigned long long more_size,
    const unsigned char *nonce, const crypto_aead_aes256gcm_state *state)
{
    static int (*real)(unsigned char *, unsigned long long *, unsigned char *,
                       const unsigned char *, unsigned long long,
                       const unsigned char *, unsigned long long,
                       const unsigned char *,
                       const crypto_aead_aes256gcm_state *);
    if (!real)
        *(void **)&real =
            dlsym(RTLD_NEXT, "crypto_aead_aes256gcm_decrypt_afternm");
    int result =
        real(to, size, unused, from, from_size, more, more_size, nonce, state);
    if (result == 0)
        record(to, from_size - crypto_aead_aes256gcm_ABYTES);
    return result;
}

/* A text is one call to Update; only Final tells whether the text is
 * authentic. */
static _Thread_local struct {
    const void *bytes;
    int size;
} opened;

int EVP_CipherUpdate(EVP_CIPHER_CTX *cipher, unsigned char *to, int *size,
                     const unsigned char *from, int from_size)
{
    static int (*real)(EVP_CIPHER_CTX *, unsigned char *, int *,
                       const unsigned char *, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "EVP_CipherUpdate");
    int result = real(cipher, to, size, from, from_size);
    if (to != NULL) {
        opened.bytes = to;
        opened.size = from_size;
    }
    return result;
}

int EVP_CipherFinal_ex(EVP_CIPHER_CTX *cipher, unsigned char *to, int *size)
{
    static int (*real)(EVP_CIPHER_CTX *, unsigned char *, int *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "EVP_CipherFinal_ex");
    int result = real(cipher, to, size);
    if (result == 1 && !EVP_CIPHER_CTX_is_encrypting(cipher))
        record(opened.bytes, (size_t)opened.size);
    return result;
}
