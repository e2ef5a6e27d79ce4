/**
 * The few calls of the C library that the load is made of. Deno's own sockets cost 35 µs of user time for a request and
 * its answer; these cost 3, and the load shares the machine with what it measures.
 *
 * Linux alone: that is where the numbers below come from (`sys/epoll.h`, `bits/socket.h`, `netinet/tcp.h` of glibc).
 *
 * @module
 */

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const F_SETFL = 4;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
/** A line that the other side has closed is an error of that line, and no signal. */
const MSG_NOSIGNAL = 0x4000;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 1;
const EPOLLOUT = 4;
/** `struct epoll_event` is packed on x86-64 and nowhere else. */
const PACKED = Deno.build.arch === "x86_64";
const EVENT_BYTES = PACKED ? 12 : 16;
const EVENT_DATA_AT = PACKED ? 4 : 8;
const ADDRESS_BYTES = 16;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
} as const;

/**
 * Sockets to one address on this machine, and which of them are connected or have something to read. Only connecting is
 * not waited for: a server that lets few wait to be accepted would hold up all others for a second.
 */
export class Sockets {
  readonly #library = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #libc = this.#library.symbols;
  readonly #epoll: number;
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #event = new Uint8Array(EVENT_BYTES);
  readonly #events: Uint8Array<ArrayBuffer>;
  readonly #eventsView: DataView;

  /** Throws where the library or the calls are missing, which is everywhere but on Linux. */
  constructor(port: number, private readonly mostEvents: number) {
    this.#epoll = this.#libc.epoll_create1(EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw new Error("no epoll");
    this.#address = loopback(port);
    this.#events = new Uint8Array(EVENT_BYTES * mostEvents);
    this.#eventsView = new DataView(this.#events.buffer);
  }

  /** A socket that begins to connect; {@link wait} gives `id` when that is settled. */
  open(id: number): number {
    const socket = this.#libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) throw new Error("no socket: too many files are open");
    // Whether it is in progress or refused shows when it is settled.
    this.#libc.connect(socket, this.#address, ADDRESS_BYTES);
    this.#watch(EPOLL_CTL_ADD, socket, id, EPOLLOUT);
    return socket;
  }

  /** Makes a socket whose connecting is settled ready for requests; false: nobody accepts it. */
  connected(socket: number, id: number): boolean {
    const error = new Int32Array(1);
    const length = new Uint32Array([error.byteLength]);
    this.#libc.getsockopt(socket, SOL_SOCKET, SO_ERROR, error, length);
    if (error[0] !== 0) return false;
    this.#libc.fcntl(socket, F_SETFL, 0);
    const on = new Int32Array([1]);
    this.#libc.setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, on, on.byteLength);
    this.#watch(EPOLL_CTL_MOD, socket, id, EPOLLIN);
    return true;
  }

  /** Waits until all is on its way; false: the line is broken. */
  send(socket: number, bytes: Uint8Array<ArrayBuffer>): boolean {
    return this.#libc.send(socket, bytes, BigInt(bytes.length), MSG_NOSIGNAL) === bytes.length;
  }

  /** How many bytes were read into `into`, without waiting; 0: the other side closed; less: it is broken. */
  receive(socket: number, into: Uint8Array<ArrayBuffer>): number {
    return this.#libc.recv(socket, into, BigInt(into.length), MSG_DONTWAIT);
  }

  /**
   * Waits `waitMs` at most, whole ms, until something can be read or is connected, and calls back with the id of each
   * such socket.
   */
  wait(waitMs: number, onReady: (id: number) => void): void {
    const count = this.#libc.epoll_wait(this.#epoll, this.#events, this.mostEvents, waitMs);
    for (let i = 0; i < count; i++) {
      onReady(this.#eventsView.getUint32(i * EVENT_BYTES + EVENT_DATA_AT, true));
    }
  }

  #watch(operation: number, socket: number, id: number, events: number): void {
    const event = new DataView(this.#event.buffer);
    event.setUint32(0, events, true);
    event.setUint32(EVENT_DATA_AT, id, true);
    if (this.#libc.epoll_ctl(this.#epoll, operation, socket, this.#event) !== 0) {
      throw new Error("a socket could not be watched");
    }
  }

  close(socket: number): void {
    this.#libc.close(socket);
  }

  /** Closes what is not a socket; those are to be closed before. */
  end(): void {
    this.#libc.close(this.#epoll);
    this.#library.close();
  }
}

/** `struct sockaddr_in` of 127.0.0.1. */
function loopback(port: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(ADDRESS_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  address.set([127, 0, 0, 1], 4);
  return address;
}
