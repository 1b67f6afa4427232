#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Slurm of one node for tests, as root and without systemd.
#   one_node_slurm.sh start DIR   writes DIR/slurm.conf, starts munged, slurmctld, slurmd; returns when the node is idle
#   one_node_slurm.sh stop DIR
set -eu
what=$1 dir=$2
if [ "$what" = stop ]; then
  SLURM_CONF=$dir/slurm.conf timeout 10 scontrol shutdown >/dev/null 2>&1 || true
  for daemon in slurmctld slurmd; do
    for _ in $(seq 50); do [ -s "$dir/run/$daemon.pid" ] && kill -0 "$(cat "$dir/run/$daemon.pid")" 2>/dev/null || break; sleep 0.1; done
    [ -s "$dir/run/$daemon.pid" ] && kill -9 "$(cat "$dir/run/$daemon.pid")" 2>/dev/null || true
  done
  # A step that has nobody left to report to waits for minutes.
  for step in $(pgrep -x slurmstepd); do
    case "$(readlink "/proc/$step/cwd")" in "$dir"/*) kill -9 "$step" 2>/dev/null || true ;; esac
  done
  [ -s "$dir/munged.pid" ] && kill "$(cat "$dir/munged.pid")" 2>/dev/null || true
  exit 0
fi
host=$(hostname -s)
port=$((22000 + 2 * ($$ % 4000)))  # two of these may run at a time; below the ports of Linux' own choice
mkdir -p "$dir"/{ctld,slurmd,log,run} /run/munge /var/log/munge /var/lib/munge
chown munge:munge /run/munge /var/log/munge /var/lib/munge
key=/etc/munge/munge.key
[ -s $key ] || { dd if=/dev/urandom of=$key bs=1 count=1024 2>/dev/null; chown munge:munge $key; chmod 400 $key; }
if ! munge -n 2>/dev/null | unmunge >/dev/null 2>&1; then
  setpriv --reuid=munge --regid=munge --clear-groups /usr/sbin/munged --force >/dev/null 2>&1
  cp /run/munge/munged.pid "$dir/munged.pid"
  munge -n | unmunge >/dev/null
fi
tr ' ' '\n' >"$dir/slurm.conf" <<CONF
ClusterName=nastest SlurmctldHost=$host(127.0.0.1) SlurmUser=root SlurmdUser=root AuthType=auth/munge CredType=cred/munge StateSaveLocation=$dir/ctld
SlurmdSpoolDir=$dir/slurmd SlurmctldPidFile=$dir/run/slurmctld.pid SlurmdPidFile=$dir/run/slurmd.pid SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log SlurmctldPort=$port SlurmdPort=$((port + 1)) ProctrackType=proctrack/pgid TaskPlugin=task/none JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none MpiDefault=none SelectType=select/cons_tres SelectTypeParameters=CR_CPU ReturnToService=2 SwitchType=switch/none
MinJobAge=20 KillWait=5 PreemptType=preempt/partition_prio PreemptMode=REQUEUE SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
CONF
echo "NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/MemTotal/{print int($2/1024*0.9)}' /proc/meminfo) State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8 PriorityTier=1 PreemptMode=REQUEUE GraceTime=30
PartitionName=urgent Nodes=$host MaxTime=INFINITE State=UP OverSubscribe=EXCLUSIVE PriorityTier=9 PreemptMode=OFF" >>"$dir/slurm.conf"
export SLURM_CONF=$dir/slurm.conf
slurmctld -c >/dev/null 2>&1
slurmd >/dev/null 2>&1
for _ in $(seq 100); do
  [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] && exit 0
  sleep 0.1
done
echo "the node did not become idle: $(tail -2 "$dir/log/slurmctld.log")" >&2
exit 1
