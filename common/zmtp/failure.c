#include "common/zmtp/failure.h"

#include "common/base/assert.h"

static const char *const names[ZMTP_FAILURES] = {
    [ZMTP_NO_FAILURE] = "none",
    [ZMTP_BAD_SIGNATURE] = "not_zmtp",
    [ZMTP_BAD_VERSION] = "old_version",
    [ZMTP_BAD_MECHANISM] = "not_curve",
    [ZMTP_BAD_FLAGS] = "bad_flags",
    [ZMTP_BAD_MORE] = "more_frames",
    [ZMTP_TOO_LONG] = "too_long",
    [ZMTP_BAD_COMMAND] = "unexpected_command",
    [ZMTP_BAD_FORM] = "malformed",
    [ZMTP_BAD_CURVE_VERSION] = "curve_version",
    [ZMTP_BAD_KEY] = "wrong_key",
    [ZMTP_BAD_COOKIE] = "bad_cookie",
    [ZMTP_BAD_BOX] = "forged",
    [ZMTP_BAD_VOUCH] = "bad_vouch",
    [ZMTP_BAD_NONCE] = "bad_nonce",
    [ZMTP_BAD_METADATA] = "bad_metadata",
    [ZMTP_BAD_SOCKET_TYPE] = "socket_type",
    [ZMTP_GOT_ERROR] = "refused_by_server",
    [ZMTP_REFUSED] = "refused",
};

const char *zmtp_failure_name(enum zmtp_failure failure)
{
    ASSERT((unsigned)failure < ZMTP_FAILURES);
    return names[failure];
}
