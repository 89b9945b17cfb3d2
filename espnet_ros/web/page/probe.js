// What is under the pointer, or under the probe that the arrow keys move.

import { byId } from './page.js';

const STEP = 0.02;

export class Probe {
  constructor(picture, onAsk) {
    this.picture = picture;
    this.onAsk = onAsk;
    this.place = null;
    this.isByKey = false;
    const { canvas } = picture;
    const point = (event) => {
      const box = picture.box();
      const edge = canvas.getBoundingClientRect();
      this.move((event.clientX - edge.left - box.left) / box.width, (event.clientY - edge.top - box.top) / box.height, false);
    };
    canvas.addEventListener('pointermove', point);
    canvas.addEventListener('pointerdown', point);
    canvas.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') { this.leave(); } });
    canvas.addEventListener('blur', () => this.leave());
    canvas.addEventListener('keydown', (event) => this.key(event));
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (event.key === 'Escape') { this.leave(); }
    if (!step) { return; }
    const size = event.shiftKey ? 5 * STEP : STEP;
    const [x, y] = this.place ?? [0.5, 0.5];
    const inside = (value) => Math.min(Math.max(value, 0), 0.999);
    this.move(inside(x + step[0] * size), inside(y + step[1] * size), true);
    event.preventDefault();
  }

  move(x, y, isByKey) {
    this.place = [x, y];
    this.isByKey = isByKey;
    this.refresh();
  }

  leave() {
    this.place = null;
    this.refresh();
  }

  refresh() {
    const found = this.place && this.picture.at(...this.place);
    const tip = byId('tip');
    tip.hidden = !found;
    byId('probe').hidden = !found || !this.isByKey;
    if (!found) { return; }
    this.onAsk();
    const words = `${found.name}${found.sure === null ? '' : ` ${found.sure} %`}`;
    tip.textContent = words;
    tip.style.setProperty('--class', `rgb(${found.color.join(' ')})`);
    if (this.isByKey) { byId('tip-words').textContent = words.replace('%', 'percent sure'); }
    const box = this.picture.box();
    const [left, top] = [box.left + this.place[0] * box.width, box.top + this.place[1] * box.height];
    byId('probe').style.left = `${left}px`;
    byId('probe').style.top = `${top}px`;
    const isRight = left + tip.offsetWidth + 24 > this.picture.canvas.clientWidth;
    const isTop = top < tip.offsetHeight + 16;
    tip.style.transform = `translate(${isRight ? left - tip.offsetWidth - 12 : left + 14}px, ${isTop ? top + 14 : top - tip.offsetHeight - 10}px)`;
  }
}
