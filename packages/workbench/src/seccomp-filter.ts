/**
 * A seccomp program (classic BPF) for the jail: system calls that user code has no business with answer EPERM. It comes
 * on top of the namespaces and the dropped capabilities, against faults of the kernel behind these calls. No npm
 * library makes such filters; the form is that of linux/filter.h, eight bytes an instruction.
 */

interface Architecture {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly audit: number;
  /** Numbers at or above are another calling convention (x32) and refused; null where there is none. */
  readonly foreignFrom: number | null;
  readonly refused: Readonly<Record<string, number>>;
}

/** Numbers from asm/unistd_64.h and asm-generic/unistd.h. */
const architectures: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    foreignFrom: 0x40000000,
    refused: {
      ptrace: 101,
      syslog: 103,
      personality: 135,
      ustat: 136,
      pivot_root: 155,
      adjtimex: 159,
      chroot: 161,
      acct: 163,
      settimeofday: 164,
      mount: 165,
      umount2: 166,
      swapon: 167,
      swapoff: 168,
      reboot: 169,
      sethostname: 170,
      setdomainname: 171,
      iopl: 172,
      ioperm: 173,
      init_module: 175,
      delete_module: 176,
      quotactl: 179,
      lookup_dcookie: 212,
      clock_settime: 227,
      vserver: 236,
      mbind: 237,
      kexec_load: 246,
      add_key: 248,
      request_key: 249,
      keyctl: 250,
      migrate_pages: 256,
      unshare: 272,
      move_pages: 279,
      perf_event_open: 298,
      fanotify_init: 300,
      open_by_handle_at: 304,
      clock_adjtime: 305,
      setns: 308,
      process_vm_readv: 310,
      process_vm_writev: 311,
      kcmp: 312,
      finit_module: 313,
      kexec_file_load: 320,
      bpf: 321,
      userfaultfd: 323,
      io_uring_setup: 425,
      io_uring_enter: 426,
      io_uring_register: 427,
      open_tree: 428,
      move_mount: 429,
      fsopen: 430,
      fsconfig: 431,
      fsmount: 432,
      fspick: 433,
      mount_setattr: 442,
    },
  },
  arm64: {
    audit: 0xc00000b7,
    foreignFrom: null,
    refused: {
      umount2: 39,
      mount: 40,
      pivot_root: 41,
      chroot: 51,
      quotactl: 60,
      acct: 89,
      personality: 92,
      unshare: 97,
      kexec_load: 104,
      init_module: 105,
      delete_module: 106,
      clock_settime: 112,
      syslog: 116,
      ptrace: 117,
      reboot: 142,
      sethostname: 161,
      setdomainname: 162,
      settimeofday: 170,
      adjtimex: 171,
      add_key: 217,
      request_key: 218,
      keyctl: 219,
      swapon: 224,
      swapoff: 225,
      mbind: 235,
      migrate_pages: 238,
      move_pages: 239,
      perf_event_open: 241,
      fanotify_init: 262,
      open_by_handle_at: 265,
      clock_adjtime: 266,
      setns: 268,
      process_vm_readv: 270,
      process_vm_writev: 271,
      kcmp: 272,
      finit_module: 273,
      bpf: 280,
      userfaultfd: 282,
      kexec_file_load: 294,
      io_uring_setup: 425,
      io_uring_enter: 426,
      io_uring_register: 427,
      open_tree: 428,
      move_mount: 429,
      fsopen: 430,
      fsconfig: 431,
      fsmount: 432,
      fspick: 433,
      mount_setattr: 442,
    },
  },
};

const loadWord = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const answer = 0x06;

const allow = 0x7fff0000;
const refuse = 0x00050001; // SECCOMP_RET_ERRNO with EPERM
const kill = 0x80000000;

const numberOffset = 0;
const architectureOffset = 4;

/** The program's bytes, for bubblewrap's `--seccomp`; null on a processor for which no list was written. */
export function seccompFilter(processor: string = process.arch): Buffer | null {
  const architecture = architectures[processor];
  if (architecture === undefined) return null;
  const program: Buffer[] = [
    instruction(loadWord, architectureOffset),
    instruction(jumpIfEqual, architecture.audit, 1, 0),
    instruction(answer, kill),
    instruction(loadWord, numberOffset),
  ];
  if (architecture.foreignFrom !== null) {
    program.push(instruction(jumpIfAtLeast, architecture.foreignFrom, 0, 1), instruction(answer, refuse));
  }
  for (const number of Object.values(architecture.refused)) {
    program.push(instruction(jumpIfEqual, number, 0, 1), instruction(answer, refuse));
  }
  program.push(instruction(answer, allow));
  return Buffer.concat(program);
}

function instruction(code: number, value: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
