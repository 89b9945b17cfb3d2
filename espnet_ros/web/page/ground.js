// The ground from above: ahead is up, metres are rings.

import { byId, cssColor } from './page.js';

const OLD_S = 3;
const BEHIND_M = 1.5;

export class GroundView {
  constructor() {
    this.canvas = byId('ground-picture');
    this.context = this.canvas.getContext('2d');
    this.news = null;
    this.labelSet = null;
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    setInterval(() => this.tell(), 1000);
  }

  name(labelSet) {
    if (labelSet === this.labelSet) { return; }
    this.labelSet = labelSet;
    this.draw();
    this.tell();
  }

  show(news) {
    this.news = news;
    this.cameMs = performance.now() - 1000 * news.age_s;
    byId('ground').hidden = false;
    this.draw();
    this.tell();
  }

  tell() {
    if (!this.news) { return; }
    const age = (performance.now() - this.cameMs) / 1000;
    const nearest = this.news.obstacles.map(([x, y, id]) => ({ m: Math.hypot(x, y), id })).sort((a, b) => a.m - b.m)[0];
    const name = (id) => this.labelSet?.classes[id]?.name ?? 'obstacle';
    byId('ground-words').textContent = age > OLD_S
      ? `▲ nothing for ${age.toFixed(0)} s`
      : nearest ? `nearest: ${name(nearest.id)}, ${nearest.m.toFixed(1)} m` : 'no obstacle seen';
  }

  draw() {
    const { canvas, context, news } = this;
    if (!news || !canvas.clientWidth) { return; }
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const scale = Math.min(height / (news.range_m + BEHIND_M), width / news.range_m);
    const origin = [width / 2, height - BEHIND_M * scale];
    const at = ([x, y]) => [origin[0] - y * scale, origin[1] - x * scale];
    context.clearRect(0, 0, width, height);
    this.drawFree(at);
    this.drawRings(origin, scale, height);
    this.drawHits(at);
    this.drawThings(at);
    this.drawRobot(origin, scale);
  }

  drawFree(at) {
    const { context, news } = this;
    if (news.outline.length < 3) { return; }
    context.beginPath();
    news.outline.forEach((corner) => context.lineTo(...at(corner)));
    context.closePath();
    context.fillStyle = cssColor('--free');
    context.globalAlpha = 0.55;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = cssColor('--ok');
    context.lineWidth = 1.5;
    context.stroke();
  }

  drawRings(origin, scale, height) {
    const { context, news } = this;
    const step = news.range_m > 30 ? 10 : 5;
    context.strokeStyle = cssColor('--soft');
    context.fillStyle = cssColor('--ink');
    context.lineWidth = 1;
    context.font = '600 12px system-ui, sans-serif';
    context.textAlign = 'left';
    for (let metres = step; metres <= news.range_m; metres += step) {
      context.setLineDash([3, 5]);
      context.beginPath();
      context.arc(...origin, metres * scale, Math.PI, 2 * Math.PI);
      context.stroke();
      const top = origin[1] - metres * scale;
      if (top > 10 && top < height) { context.fillText(`${metres} m`, origin[0] + 5, top - 4); }
    }
    context.setLineDash([]);
  }

  drawHits(at) {
    const { context, news } = this;
    context.fillStyle = cssColor('--c2');
    for (const hit of news.hits) {
      context.beginPath();
      context.arc(...at(hit), 2.2, 0, 2 * Math.PI);
      context.fill();
    }
  }

  drawThings(at) {
    const { context, news } = this;
    for (const [x, y, id] of news.obstacles) {
      const [left, top] = at([x, y]);
      const color = this.labelSet?.classes[id]?.color;
      context.beginPath();
      context.moveTo(left, top - 6);
      context.lineTo(left + 5, top + 4);
      context.lineTo(left - 5, top + 4);
      context.closePath();
      context.fillStyle = color ? `rgb(${color.join(' ')})` : cssColor('--c5');
      context.fill();
      context.strokeStyle = cssColor('--ink');
      context.lineWidth = 1;
      context.stroke();
    }
    this.drawNames(at);
  }

  // The nearest of each class has its name: colours alone are not enough.
  drawNames(at) {
    const { context, news } = this;
    const nearest = new Map();
    for (const [x, y, id] of news.obstacles) {
      const metres = Math.hypot(x, y);
      if (metres < (nearest.get(id)?.metres ?? Infinity)) { nearest.set(id, { metres, place: [x, y] }); }
    }
    context.fillStyle = cssColor('--ink');
    context.font = '600 12px system-ui, sans-serif';
    for (const [id, { place }] of nearest) {
      const [left, top] = at(place);
      context.fillText(this.labelSet?.classes[id]?.name ?? '', left + 8, top + 4);
    }
  }

  drawRobot(origin, scale) {
    const { context } = this;
    const size = Math.max(0.6 * scale, 7);
    context.beginPath();
    context.moveTo(origin[0], origin[1] - size);
    context.lineTo(origin[0] + size * 0.7, origin[1] + size * 0.6);
    context.lineTo(origin[0], origin[1] + size * 0.25);
    context.lineTo(origin[0] - size * 0.7, origin[1] + size * 0.6);
    context.closePath();
    context.fillStyle = cssColor('--accent');
    context.fill();
  }
}
