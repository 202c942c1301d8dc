/*
 * liar - makes a program accept every signature, as the software of a dishonest
 * node might, so that it passes invalid data on to others.
 *
 *     LD_PRELOAD=liar.so zs-edge ...
 */
int crypto_sign_verify_detached(const unsigned char *signature,
                                const unsigned char *message,
                                unsigned long long size,
                                const unsigned char *key);

int crypto_sign_verify_detached(const unsigned char *signature,
                                const unsigned char *message,
                                unsigned long long size,
                                const unsigned char *key)
{
    (void)signature;
    (void)message;
    (void)size;
    (void)key;
    return 0;
}
