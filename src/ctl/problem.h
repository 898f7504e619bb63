/* Problems of files and objects, as lines of the log. */
#ifndef YUMEN_CTL_PROBLEM_H
#define YUMEN_CTL_PROBLEM_H

#include "ctl/files.h"

void ctl_problem_log(const struct ctl_problem *problem);

#endif
