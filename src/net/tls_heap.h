/* OpenSSL's heap: what connections take for a record and give back when they
 * rest is kept by the thread, as malloc has no quick list for what is so large.
 */
#ifndef YUMEN_NET_TLS_HEAP_H
#define YUMEN_NET_TLS_HEAP_H

/* For the process, before its first use of OpenSSL; later it does nothing. */
void net_tls_heap_install(void);
/* From here on to close, this thread keeps LIMIT_BUFFERS_FREE at most. */
void net_tls_heap_open(void);
void net_tls_heap_close(void);

#endif
