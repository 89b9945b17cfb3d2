// Pictures: one is requested when the one before is drawn, so a slow browser gets fewer, never older ones.

import { byId } from './page.js';

const CONFIDENCE_MS = 1500;

export class PictureFeed {
  constructor(onFrame) {
    this.onFrame = onFrame;
    this.width = 960;
    this.rateHz = 15;
    this.camera = null;
    this.number = -1;
    this.labels = { key: '', set: null };
    this.isPaused = false;
    this.isResting = false;
    this.askedMs = -Infinity;
    this.cameMs = 0;
    this.run = 0;
    setInterval(() => this.tellAge(), 500);
  }

  choose(camera) {
    this.camera = camera;
    this.number = -1;
    this.cameMs = performance.now();
    this.start();
  }

  pause(isPaused) { this.isPaused = isPaused; if (!isPaused && this.camera !== null) { this.start(); } }

  rest(isResting) {
    this.isResting = isResting;
    this.aborter?.abort();
    if (!isResting && this.camera !== null) { this.start(); }
  }

  wantConfidence() { this.askedMs = performance.now(); }

  start() {
    this.run += 1;
    this.aborter?.abort();
    this.aborter = new AbortController();
    this.loop(this.run, this.aborter.signal);
  }

  async loop(run, signal) {
    let dueMs = performance.now();
    while (run === this.run && !this.isPaused && !this.isResting) {
      let isThere = true;
      try { isThere = await this.next(signal, run); } catch (error) {
        if (signal.aborted) { return; }
        console.debug('no picture', error);
        isThere = false;
      }
      const periodMs = isThere ? 1000 / this.rateHz : 1000;
      dueMs = Math.max(dueMs + periodMs, performance.now());
      await new Promise((done) => { setTimeout(done, dueMs - performance.now()); });
    }
  }

  async next(signal, run) {
    const wants = performance.now() - this.askedMs < CONFIDENCE_MS;
    const query = new URLSearchParams({
      camera: this.camera, width: this.width, after: this.number, labels: this.labels.key,
      ...(wants ? { confidence: 1 } : {}),
    });
    const answer = await fetch(`frame?${query}`, { signal });
    if (answer.status === 204) { return true; }
    if (!answer.ok) { return false; }
    const frame = await unpack(await answer.arrayBuffer());
    if (run !== this.run) { return true; }
    const { facts } = frame;
    if (facts.label_set) { this.labels = { key: facts.labels, set: facts.label_set }; }
    frame.labelSet = this.labels.set;
    this.number = facts.number;
    this.cameMs = performance.now();
    this.tellAge();
    await this.onFrame(frame);
    return true;
  }

  tellAge() {
    const age = (performance.now() - this.cameMs) / 1000;
    const isOld = this.number >= 0 && !this.isPaused && age > 2;
    byId('stale').hidden = !isOld;
    byId('frame').classList.toggle('old', isOld);
    if (isOld) { byId('stale').textContent = `no new picture for ${age.toFixed(0)} s`; }
  }
}

async function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const parts = {};
  let start = 4 + length;
  await Promise.all(facts.parts.map(([name, size]) => {
    const data = new Blob([new Uint8Array(buffer, start, size)]);
    start += size;
    // Ids are no colours: nothing may be converted.
    const how = { colorSpaceConversion: name === 'camera' ? 'default' : 'none' };
    return createImageBitmap(data, how).then((bitmap) => { parts[name] = bitmap; });
  }));
  return { facts, parts };
}
