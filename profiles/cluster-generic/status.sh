#!/bin/sh
# What became of a job, as Snakemake asks: running, success or failed. $1 is the job's number.
ending=".snakemake/cluster/$1.ending"
# A file of another node may take a while to be seen, and a job to leave the queue.
for pause in 0 5 10 15; do
    sleep "$pause"
    if [ -s "$ending" ]; then
        if [ "$(cat "$ending")" = 0 ]; then echo success; else echo failed; fi
        exit
    fi
    # Grid Engine asks for -j; PBS takes the number as it is.
    if qstat -j "$1" > /dev/null 2>&1 || qstat "$1" > /dev/null 2>&1; then
        echo running
        exit
    fi
done
echo failed
