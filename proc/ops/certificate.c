/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { SECONDS_A_DAY = 86400, CERTIFICATES_MOST = 1024 };

/* From 1970-01-01 by OpenSSL's own calendar. */
static int64_t seconds_of(const ASN1_TIME *time)
{
    int days = 0;
    int seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int is_known = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time);
    ASN1_TIME_free(epoch);
    return is_known ? (int64_t)days * SECONDS_A_DAY + seconds : INT64_MAX;
}

int64_t certificate_expiry(const char *path)
{
    int64_t first = INT64_MAX;
    BIO *file = BIO_new_file(path, "r");
    for (int i = 0; file && i < CERTIFICATES_MOST; i++) {
        X509 *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
        if (!certificate)
            break;
        int64_t expires = seconds_of(X509_get0_notAfter(certificate));
        first = expires < first ? expires : first;
        X509_free(certificate);
    }
    BIO_free(file);
    ERR_clear_error(); /* the end of the file is one */
    return first;
}
