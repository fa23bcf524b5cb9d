// What the page reads. While the gateway is away nothing more is said than the badge says; what could not be read then is read
// when the gateway is back. Must not change anything at the gateway: a read may be repeated.

export class Reads {
  constructor(failed) {
    this.failed = failed;
    this.missed = new Map(); // by name, so that the newest wish of a kind is the one that counts
  }

  async read(name, work) {
    try {
      await work();
    } catch (error) {
      if (error.offline) this.missed.set(name, work);
      else this.failed(error);
    }
  }

  // Reads what was missed; for the time when the gateway is there.
  again() {
    const missed = [...this.missed];
    this.missed.clear();
    for (const [name, work] of missed) this.read(name, work);
  }

  // Makes a read that happens once in a while, however often it is asked for.
  soon(name, work, delay) {
    let timer = null;
    return () => {
      timer ??= setTimeout(() => {
        timer = null;
        this.read(name, work);
      }, delay);
    };
  }
}
