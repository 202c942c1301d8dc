/*
 * url_password - shows a URL to people without the password in it.
 */
#ifndef COMMON_CONF_URL_PASSWORD_H
#define COMMON_CONF_URL_PASSWORD_H

/* The URL with *** in place of the password: "http://ann:***@proxy:3128". The
 * text need not be a right URL: whatever may be a password is left out. The
 * caller frees the result. */
char *url_without_password(const char *url);

#endif
