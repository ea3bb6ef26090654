#!/usr/bin/env bash
# A real Slurm of one controller and two node daemons on loopback, in a temporary folder of its own.
#   tests/slurm/run.sh            runs the test list "Slurm" on it (as CI does)
#   tests/slurm/run.sh cluster    says 'ready SLURM.CONF' and keeps it up until standard input ends
# Code 77: Slurm cannot be had here, and why is on standard error.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if [ "${1:-}" != cluster ]; then exec "$root/bird" test --filter-test-list Slurm; fi

away() { printf '%s\n' "$*" >&2; exit 77; }

[ "$(uname -s)" = Linux ] || away "needs Linux"
[ "$(id -u)" = 0 ] || away "needs root, to install and start Slurm"
for program in slurmctld slurmd munged; do
    command -v $program >/dev/null && continue
    command -v apt-get >/dev/null || away "needs $program"
    # Run level 1: the packages' own services are not started.
    { apt-get update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge; } >/dev/null 2>&1 </dev/null ||
        away "apt could not install slurm-wlm and munge"
    break
done

folder=$(mktemp -d)
chmod 755 "$folder"
mkdir "$folder/state" "$folder/munge"
chmod 755 "$folder/munge"
export SLURM_CONF=$folder/slurm.conf
host=$(hostname -s)

stop() {
    set +e   # what is gone already need not be stopped
    scancel --user=root >/dev/null 2>&1 || true
    for _ in $(seq 20); do [ -z "$(squeue -h 2>/dev/null)" ] && break; sleep 0.5; done
    for pid in "$folder"/*.pid "$folder"/munge/*.pid; do [ -e "$pid" ] && kill "$(cat "$pid")" 2>/dev/null; done
    sleep 1
    for pid in "$folder"/*.pid "$folder"/munge/*.pid; do [ -e "$pid" ] && kill -9 "$(cat "$pid")" 2>/dev/null; done
    rm -rf "$folder"
}
trap stop EXIT

# free FIRST: the first of three ports from there on that nobody listens at.
free() {
    local port=$1
    while (: <"/dev/tcp/127.0.0.1/$port" || : <"/dev/tcp/127.0.0.1/$((port + 1))" || : <"/dev/tcp/127.0.0.1/$((port + 2))") 2>/dev/null; do port=$((port + 3)); done
    echo "$port"
}
port=$(free $((17000 + $$ % 1000 * 3)))

head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 600 "$folder/munge/key"
munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/munged.pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" --origin=127.0.0.1 2>"$folder/munge/errors" || away "munged did not start: $(tail -n 1 "$folder/munge/errors")"

# Short waits: a node counts as lost after 10 s, a requeued job is eligible after 5.
cat >"$SLURM_CONF" <<END
ClusterName=bird
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
SlurmUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool.%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=5,bf_interval=5
ReturnToService=2
JobRequeue=1
SlurmdTimeout=10
KillWait=5
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname=$host Port=$((port + 1)) CPUs=2 RealMemory=2000
NodeName=n2 NodeAddr=127.0.0.1 NodeHostname=$host Port=$((port + 2)) CPUs=2 RealMemory=2000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
slurmctld
for node in n1 n2; do
    mkdir "$folder/spool.$node"
    slurmd -N $node
done
for _ in $(seq 60); do
    [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c idle)" = 2 ] && break
    sleep 0.5
done
[ "$(sinfo -h -N -o %T 2>/dev/null | grep -c idle)" = 2 ] || away "the two nodes did not come up: $(tail -n 3 "$folder"/*.log)"

echo "ready $SLURM_CONF"
cat >/dev/null
