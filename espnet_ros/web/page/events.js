// Numbers, statuses and ground: server-sent events, opened again when they break off.

export class EventFeed {
  constructor(handlers, onConnection) {
    this.handlers = handlers;
    this.onConnection = onConnection;
    this.source = null;
    this.timer = 0;
  }

  open(camera) {
    this.close();
    const query = camera === null ? '' : `?camera=${encodeURIComponent(camera)}`;
    this.source = new EventSource(`events${query}`);
    this.source.onopen = () => this.onConnection(true);
    this.source.onerror = () => {
      this.onConnection(false);
      if (this.source?.readyState === EventSource.CLOSED) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.open(camera), 2000);
      }
    };
    for (const [name, handle] of Object.entries(this.handlers)) {
      this.source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
