// A device that is too slow: a browser whose CPU time a control group limits (root).

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { until } from "./until.ts";

/** The period over which the kernel divides CPU time. */
const PERIOD_US = 100_000;

const ROOT = "/sys/fs/cgroup";

/** Where the kernel limits CPU time: version 1 of control groups, or version 2. */
function hierarchy(): { root: string; version: 1 | 2 } {
  for (const root of [`${ROOT}/cpu`, `${ROOT}/cpu,cpuacct`]) {
    if (existsSync(join(root, "cpu.cfs_quota_us"))) return { root, version: 1 };
  }
  const controllers = readFileSync(join(ROOT, "cgroup.controllers"), "utf8");
  if (!controllers.split(/\s+/).includes("cpu"))
    throw new Error("no control group limits CPU time");
  appendFileSync(join(ROOT, "cgroup.subtree_control"), "+cpu");
  return { root: ROOT, version: 2 };
}

export class SlowDevice {
  private constructor(
    private readonly group: string,
    private readonly version: 1 | 2,
  ) {}

  /** A group without processes or a limit. */
  static add(): SlowDevice {
    const { root, version } = hierarchy();
    const group = join(root, `moim-e2e-${process.pid}`);
    mkdirSync(group, { recursive: true });
    return new SlowDevice(group, version);
  }

  /** Shell command by which a shell becomes a member, with all that it starts. */
  get enter(): string {
    return `echo $$ >${join(this.group, "cgroup.procs")}`;
  }

  /** Limits all processes together to a share of one core; without a share, to nothing. */
  limit(share?: number): void {
    const quota = share === undefined ? undefined : Math.round(PERIOD_US * share);
    if (this.version === 1) {
      writeFileSync(join(this.group, "cpu.cfs_period_us"), String(PERIOD_US));
      writeFileSync(join(this.group, "cpu.cfs_quota_us"), String(quota ?? -1));
    } else {
      writeFileSync(join(this.group, "cpu.max"), `${quota ?? "max"} ${PERIOD_US}`);
    }
  }

  /** Removes the group once its processes have ended. */
  async remove(): Promise<void> {
    await until("the slow device's processes to end", async () => {
      const seen = readFileSync(join(this.group, "cgroup.procs"), "utf8");
      return { done: seen === "" || undefined, seen };
    });
    rmdirSync(this.group);
  }
}
