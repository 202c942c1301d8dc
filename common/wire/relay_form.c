#include "common/wire/relay_form.h"

static const char *const names[RELAY_FORMS] = {
    [FORM_TCP] = "tcp",
    [FORM_WSS] = "wss",
    [FORM_WS] = "ws",
    [FORM_TCP_PROXY] = "tcp+proxy",
    [FORM_WSS_PROXY] = "wss+proxy",
    [FORM_WS_PROXY] = "ws+proxy",
};

const char *relay_form_name(enum relay_form form)
{
    return names[form];
}

bool relay_form_by_proxy(enum relay_form form)
{
    return form >= FORM_TCP_PROXY;
}

const char *relay_form_transport(enum relay_form form)
{
    return names[form % FORM_TCP_PROXY];
}
