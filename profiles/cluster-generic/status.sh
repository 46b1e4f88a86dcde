#!/bin/sh
# What became of a job, as Snakemake asks: running, success or failed. $1 is the job's number.
# Snakemake asks for one job after the other, so nothing is waited for here.
ending=".snakemake/cluster/$1.ending"
absent=".snakemake/cluster/$1.absent"
# Seconds that a job may be in neither place: a file of another node may take a while to be seen, and
# the queue's own server may be restarting.
patience=120

if [ -s "$ending" ]; then
    rm -f "$absent"
    if [ "$(cat "$ending")" = 0 ]; then echo success; else echo failed; fi
# Grid Engine asks for -j; PBS takes the number as it is.
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
    # Nothing is in it where the disk is full.
    since=$(cat "$absent")
    if [ $((now - ${since:-$now})) -lt "$patience" ]; then echo running; else echo failed; fi
fi
