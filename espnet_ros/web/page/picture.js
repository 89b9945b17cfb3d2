// The picture: camera below, mask above, laid over each other here.

import { byId } from './page.js';
import { placeNames } from './names.js';

const SMALLEST_NAMED = 0.01;

export class PictureView {
  constructor() {
    this.canvas = byId('picture');
    this.context = this.canvas.getContext('2d');
    this.mask = document.createElement('canvas');
    this.maskContext = this.mask.getContext('2d', { willReadFrequently: true });
    this.blend = 0.55;
    this.isSplit = false;
    this.hasNames = true;
    this.hidden = new Set();
    this.clear();
  }

  clear() {
    this.frame = null;
    this.ids = null;
    this.confidence = null;
    byId('empty').hidden = false;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  hide(hidden) { this.hidden = hidden; this.paint(); this.draw(); }

  async show(frame) {
    const { camera, mask, confidence } = frame.parts;
    this.frame?.parts.camera.close();
    this.frame = frame;
    if (this.canvas.width !== camera.width || this.canvas.height !== camera.height) {
      this.canvas.width = camera.width;
      this.canvas.height = camera.height;
      byId('frame').style.aspectRatio = `${camera.width} / ${camera.height}`;
    }
    this.ids = this.read(mask);
    if (confidence) { this.confidence = this.read(confidence); }
    byId('empty').hidden = true;
    this.paint();
    this.draw();
    this.tell();
  }

  // Returns the gray values of a bitmap: class ids, or the confidence.
  read(bitmap) {
    const { width, height } = bitmap;
    this.mask.width = width;
    this.mask.height = height;
    this.maskContext.drawImage(bitmap, 0, 0);
    const pixels = new Uint32Array(this.maskContext.getImageData(0, 0, width, height).data.buffer);
    const values = new Uint8Array(pixels.length);
    for (let i = 0; i < pixels.length; i += 1) { values[i] = pixels[i] & 255; }
    bitmap.close();
    return { values, width, height };
  }

  // Colours the mask; a class that is switched off is clear.
  paint() {
    if (!this.ids || !this.frame.labelSet) { return; }
    const table = new Uint32Array(256);
    this.frame.labelSet.classes.forEach(({ color: [red, green, blue] }, id) => {
      if (!this.hidden.has(id)) { table[id] = (255 << 24) | (blue << 16) | (green << 8) | red; }
    });
    const { values, width, height } = this.ids;
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i += 1) { pixels[i] = table[values[i]]; }
    this.mask.width = width;
    this.mask.height = height;
    this.maskContext.putImageData(image, 0, 0);
    this.places = placeNames(this.ids);
  }

  draw() {
    if (!this.frame) { return; }
    const { canvas, context } = this;
    const { width, height } = canvas;
    context.globalAlpha = 1;
    context.drawImage(this.frame.parts.camera, 0, 0);
    context.save();
    if (this.isSplit) {
      context.beginPath();
      context.rect(this.blend * width, 0, width, height);
      context.clip();
    } else {
      context.globalAlpha = this.blend;
    }
    context.imageSmoothingEnabled = false;
    context.drawImage(this.mask, 0, 0, width, height);
    context.restore();
    if (this.hasNames && (this.isSplit || this.blend > 0)) { this.writeNames(); }
    this.showSeam();
  }

  writeNames() {
    const { context, canvas, frame } = this;
    const box = this.box();
    const size = Math.round(13 * canvas.width / Math.max(box.width, 1));
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineWidth = size / 4;
    context.lineJoin = 'round';
    const taken = [];
    for (const { id, x, y, share } of this.places ?? []) {
      const entry = frame.labelSet?.classes[id];
      if (!entry || share < SMALLEST_NAMED || this.hidden.has(id)) { continue; }
      if (this.isSplit && x < this.blend) { continue; }
      const half = context.measureText(entry.name).width / 2 + 4;
      const left = Math.min(Math.max(x * canvas.width, half), canvas.width - half);
      const top = Math.min(Math.max(y * canvas.height, size), canvas.height - size);
      // The larger area keeps its name where two would lie over each other.
      if (taken.some((other) => Math.abs(other.top - top) < size * 1.15 && Math.abs(other.left - left) < other.half + half)) { continue; }
      taken.push({ left, top, half });
      context.strokeStyle = '#000c';
      context.strokeText(entry.name, left, top);
      context.fillStyle = '#fff';
      context.fillText(entry.name, left, top);
    }
  }

  showSeam() {
    const seam = byId('seam');
    seam.hidden = !this.isSplit;
    if (this.isSplit) {
      const box = this.box();
      seam.style.left = `${box.left + this.blend * box.width - 1}px`;
    }
  }

  // Returns where the picture lies in its canvas, in CSS pixels.
  box() {
    const { clientWidth, clientHeight, width, height } = this.canvas;
    const scale = Math.min(clientWidth / width, clientHeight / height);
    const box = { width: width * scale, height: height * scale };
    return { ...box, left: (clientWidth - box.width) / 2, top: (clientHeight - box.height) / 2 };
  }

  // Returns what is at a place, 0 to 1 across and down.
  at(x, y) {
    if (!this.ids || x < 0 || y < 0 || x >= 1 || y >= 1) { return null; }
    const pick = ({ values, width, height }) => values[Math.floor(y * height) * width + Math.floor(x * width)];
    const id = pick(this.ids);
    const entry = this.frame.labelSet?.classes[id];
    const name = entry?.name ?? (id === this.frame.labelSet?.unlabelled_id ? 'unlabelled' : `id ${id}`);
    const sure = this.confidence ? Math.round(pick(this.confidence) / 2.55) : null;
    return { id, name, color: entry?.color ?? [136, 136, 136], sure };
  }

  tell() {
    const { facts } = this.frame;
    const time = facts.stamp_s ? `${new Date(facts.stamp_s * 1000).toLocaleTimeString()} · ` : '';
    const [height, width] = facts.mask_size;
    byId('facts').textContent = `${time}mask ${width}×${height} · shown ${facts.size[1]}×${facts.size[0]} · picture ${facts.number}`;
  }
}
