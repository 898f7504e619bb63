/* Choices: a backend by weight, an endpoint by least requests of two random
 * ones. Pure but for the random numbers, which are an argument. */
#ifndef YUMEN_PROXY_BALANCER_H
#define YUMEN_PROXY_BALANCER_H

#include "core/random.h"
#include "proxy/backend.h"
#include "snap/unit.h"

/* The index of the chosen backendRef, or count when all weigh nothing. sum: of
 * the weights. */
uint32_t proxy_balancer_weigh(const struct unit_backend *backends,
    uint32_t count, uint32_t sum, struct random *random);

/* An endpoint for an attempt, or NULL when none may be used. tried: those of
 * earlier attempts, which are taken again only where there is no other. */
struct proxy_endpoint *proxy_balancer_pick(const struct proxy_backend *backend,
    struct random *random, uint64_t now_ms, struct proxy_endpoint *const *tried,
    unsigned tried_count);

#endif
