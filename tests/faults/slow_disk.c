/* A disk of any slowness for the process this is loaded into: each fsync and fdatasync takes as many milliseconds as the
   file named by SLOW_DISK says, whatever the real disk is busy with, and leaves a byte in the file beside it, so that a
   test sees that it did. Nothing is synced: these tests kill processes, whose writes the system keeps, never the machine. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long told_ms(const char *name)
{
    char text[16] = {0};
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? atol(text) : 0;
}

static void leave_a_byte(const char *name)
{
    char beside[4096];
    snprintf(beside, sizeof beside, "%s.waited", name);
    int file = open(beside, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0)
        return;
    if (write(file, ".", 1) < 0)
        perror(beside);
    close(file);
}

static int take_time(void)
{
    const char *name = getenv("SLOW_DISK");
    long ms = name ? told_ms(name) : 0;
    if (ms > 0) {
        struct timespec time = {ms / 1000, ms % 1000 * 1000000};
        nanosleep(&time, NULL);
        leave_a_byte(name);
    }
    return 0;
}

int fsync(int file)
{
    (void)file;
    return take_time();
}

int fdatasync(int file)
{
    (void)file;
    return take_time();
}
