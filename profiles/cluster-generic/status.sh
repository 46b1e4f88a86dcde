#!/bin/sh
# Prints a job's status for Snakemake: running, success or failed. $1 is the job's number.
# Snakemake asks for one job after the other, so this never waits.
ending=".snakemake/cluster/$1.ending"
absent=".snakemake/cluster/$1.absent"
# Seconds that a job may have neither an exit status nor a place in the queue: another node's file may
# take a while to be visible, and the queue's server may be restarting.
patience=120

if [ -s "$ending" ]; then
    rm -f "$absent"
    if [ "$(cat "$ending")" = 0 ]; then echo success; else echo failed; fi
# Grid Engine needs -j; PBS takes the number alone.
elif listed=$(qstat -j "$1" 2> /dev/null) || listed=$(qstat "$1" 2> /dev/null); then
    rm -f "$absent"
    if printf "%s\n" "$listed" | grep -q "^error reason"; then
        # Grid Engine could not start it, and keeps it (state Eqw) until somebody looks.
        qdel "$1" > /dev/null 2>&1
        echo failed
    else
        echo running
    fi
else
    now=$(date +%s)
    [ -s "$absent" ] || echo "$now" > "$absent"
    # It is empty if the disk is full.
    since=$(cat "$absent")
    if [ $((now - ${since:-$now})) -lt "$patience" ]; then echo running; else echo failed; fi
fi
