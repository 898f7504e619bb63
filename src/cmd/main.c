/* The yumen program: finds the command and hands over to its file. */
#include <stdio.h>

int
main(void)
{
	fputs("yumen: no command works yet\n", stderr);
	return 2;
}
