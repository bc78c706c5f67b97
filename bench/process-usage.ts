import { readFileSync, writeFileSync } from 'node:fs';
import { processorSeconds } from '@quotidien/machine/living-process';

/** What a process has used so far. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  /** Peak of its resident memory. */
  readonly peakMb: number;
}

/**
 * The larger of the children of a process, as the server below the shell that watches it; undefined
 * where there is no `/proc`.
 */
export function usageOfChild(parent: number): ProcessUsage | undefined {
  try {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
      .trim()
      .split(' ');
    const usages = children.map((child) => usageOfProcess(Number(child)));
    return usages.sort((a, b) => b.peakMb - a.peakMb)[0];
  } catch {
    return undefined;
  }
}

/** Of a process that is there; throws where there is no `/proc`. */
export function usageOfProcess(pid: number): ProcessUsage {
  const cpuSeconds = processorSeconds(pid);
  if (cpuSeconds === undefined) throw new Error(`there is no process ${pid}, or no /proc`);
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { cpuSeconds, peakMb: Number(peak?.[1] ?? 0) / 1024 };
}

/** CPU time of this process so far, in seconds. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * The peak of memory of this process is that of what comes after. Without `/proc` it stays that of
 * all.
 */
export function restartOwnPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Another system than Linux.
  }
}
