/*
 * liar - makes a program believe any signature, as a bad node's own software
 * might: what its own checks would refuse reaches others.
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
