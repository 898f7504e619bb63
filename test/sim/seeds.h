/* What a test of many seeds has for main. */
#ifndef YUMEN_SIM_SEEDS_H
#define YUMEN_SIM_SEEDS_H

#include <stdint.h>

/* Arguments: the first seed (1) and how many (count); with errors alone logged.
 * run ends the process where a seed goes wrong. */
int sim_seeds(int argc, char **argv, const char *name, uint64_t count,
    void (*run)(uint64_t seed));

#endif
