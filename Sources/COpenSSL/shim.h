#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/* SHA-256, fetched once per process: EVP_sha256() would be looked up again by every digest. A fetched algorithm never
   changes, and all threads may use it. NULL if no provider has it; the reason is in the error queue. */
static inline const EVP_MD *parley_sha256(void) {
    static EVP_MD *shared;
    EVP_MD *known = __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
    if (known != NULL) return known;
    EVP_MD *fetched = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (fetched == NULL) return NULL;
    if (__atomic_compare_exchange_n(&shared, &known, fetched, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return fetched;
    EVP_MD_free(fetched); /* Another thread was faster. */
    return known;
}

/* OSSL_PARAM keeps the address of its name. A literal lives as long as the process in C, but only for the call in
   Swift. */
static inline int parley_mac_start(EVP_MAC_CTX *context, const char *digest, const void *key, size_t key_count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, (const unsigned char *)key, key_count, parameters);
}

static inline int parley_hkdf_sha256(
    EVP_KDF_CTX *context, const void *key, size_t key_count, const void *salt, size_t salt_count, const void *info,
    size_t info_count, void *output, size_t output_count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA2-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, key_count),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_count),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_count),
        OSSL_PARAM_construct_end()};
    return EVP_KDF_derive(context, (unsigned char *)output, output_count, parameters);
}
