// The layout of the picture: geometry in CSS pixels, without a document.
//
// The picture consists of clusters. One has this node in its centre and around
// it the peers with a direct path; each relay is the centre of the peers behind
// it. The peers of a cluster stand on rings: the more peers, the more rings and
// the less space between them.

const MOST_RINGS = 14;
const ROOMY = 112; // pixels between two peers, at most
const HUB_ROOM = 34; // pixels around the centre
const FEW = 10; // peers: so few stand on the side away from the other cluster
const HUB_WEIGHT = 6; // a centre counts as so many peers for its share of the picture
const STEPS = 240; // points by which an ellipse is measured

// The clusters with places for `counts` peers each, this node's cluster first:
// [{x, y, places: [{x, y}], spacing}].
export function arrange(width, height, counts) {
  return boxesOf(width, height, counts).map((box, i) => {
    const hub = {x: box.x + box.width / 2, y: box.y + box.height / 2};
    return {...hub, ...rings(box, hub, counts[i], box.facing)};
  });
}

const weigh = (counts) =>
  counts.reduce((sum, count) => sum + count + HUB_WEIGHT, 0);

// The relays' clusters share the left of a wide picture, or the top of a high
// one.
function boxesOf(width, height, [own, ...hubs]) {
  if (hubs.length === 0) return [{x: 0, y: 0, width, height}];
  const wide = width > height * 1.1;
  const share = weigh(hubs) / weigh([own, ...hubs]);
  const part = Math.min(Math.max(share, 0.25), 0.62);
  let begin = 0;
  const boxes = hubs.map((count) => {
    const from = begin;
    begin += weigh([count]) / weigh(hubs);
    return wide ? {x: 0, width: width * part, facing: Math.PI,
                   y: from * height, height: (begin - from) * height}
                : {y: 0, height: height * part, facing: -Math.PI / 2,
                   x: from * width, width: (begin - from) * width};
  });
  const self = wide ? {x: width * part, y: 0, width: width * (1 - part), height,
                       facing: 0}
                    : {x: 0, y: height * part, width,
                       height: height * (1 - part), facing: Math.PI / 2};
  return [self, ...boxes];
}

function rings(box, hub, count, facing) {
  const side = Math.min(58, box.width * 0.14);
  const rx = Math.max(box.width / 2 - side, 20);
  const ry = Math.max(box.height / 2 - 30, 20);
  const arc = facing !== undefined && count <= FEW ? Math.PI * 1.15
                                                   : Math.PI * 2;
  let best = {spacing: -1};

  if (count === 0) return {places: [], spacing: ROOMY};
  for (let many = 1; many <= MOST_RINGS; many++) {
    const tried = ringsOf(many, rx, ry, (facing ?? 0) - arc / 2, arc, count);
    if (tried.spacing > best.spacing + 0.5) best = tried;
  }
  return {spacing: best.spacing, places: fill(best.ellipses, hub, count)};
}

function ringsOf(many, rx, ry, from, arc, count) {
  const gap = Math.max((Math.min(rx, ry) - HUB_ROOM) / many, 4);
  const ellipses = Array.from({length: many}, (_, i) =>
    measured(rx - i * gap, ry - i * gap, from, arc));
  const length = ellipses.reduce((sum, ellipse) => sum + ellipse.length, 0);
  const between = many === 1 ? ROOMY : gap;
  return {ellipses, spacing: Math.min(between, length / count, ROOMY)};
}

// An ellipse as points, each with its distance from the first along the ellipse.
function measured(rx, ry, from, arc) {
  const points = [];
  let length = 0;
  for (let i = 0; i <= STEPS; i++) {
    const turn = from + arc * i / STEPS;
    const point = {x: rx * Math.cos(turn), y: ry * Math.sin(turn)};
    if (i > 0)
      length += Math.hypot(point.x - points[i - 1].x, point.y - points[i - 1].y);
    points.push({...point, way: length});
  }
  return {points, length};
}

// Distributes the peers over the rings by their length, with equal spaces.
function fill(ellipses, hub, count) {
  const whole = ellipses.reduce((sum, ellipse) => sum + ellipse.length, 0);
  const places = [];
  let way = 0;
  for (const {points, length} of ellipses) {
    way += length;
    const share = Math.round(count * way / whole) - places.length;
    let at = 0;
    for (let i = 0; i < share; i++) {
      const goal = length * (i + 0.5) / share;
      while (points[at].way < goal) at++;
      places.push({x: hub.x + points[at].x, y: hub.y + points[at].y});
    }
  }
  return places;
}

// The place of each peer in a cluster. In a large cluster a peer keeps its place
// while others come and go; the peers of a small one are sorted each time.
export class Places {
  size = 0; // number of places, free ones included
  #of = new Map(); // id -> place
  static ALL_IN_ORDER = 24;
  static STEP = 16;

  // Seats the peers with these sorted ids. True if a place changed.
  seat(ids) {
    const here = new Set(ids);
    const size = this.#sizeFor(ids.length);
    if (size !== this.size || (size <= Places.ALL_IN_ORDER &&
                               !ids.every((id, i) => this.#of.get(id) === i))) {
      this.size = size;
      this.#of = new Map(ids.map((id, i) => [id, i]));
      return true;
    }
    for (const id of this.#of.keys()) if (!here.has(id)) this.#of.delete(id);
    this.#seatNew(ids);
    return false;
  }

  #seatNew(ids) {
    if (this.#of.size === ids.length) return;
    const taken = new Set(this.#of.values());
    let next = 0;
    for (const id of ids) {
      if (this.#of.has(id)) continue;
      while (taken.has(next)) next++;
      this.#of.set(id, next++);
    }
  }

  #sizeFor(count) {
    if (count <= Places.ALL_IN_ORDER) return count;
    const slack = this.size - count;
    if (slack >= 0 && slack < 2 * Places.STEP) return this.size;
    return Math.ceil(count / Places.STEP) * Places.STEP;
  }

  at(id) {
    return this.#of.get(id);
  }
}

// Rectangles that must not overlap, indexed by a grid of squares.
export class Room {
  #cells = new Map();
  static CELL = 40;

  constructor(width, height) {
    this.width = width;
    this.height = height;
  }

  // Takes a rectangle if it is free and inside the picture; false if not.
  take(x, y, width, height) {
    if (x < 0 || y < 0 || x + width > this.width || y + height > this.height)
      return false;
    const box = [x, y, x + width, y + height];
    const meets = ([a, b, c, d]) =>
      a < box[2] && c > box[0] && b < box[3] && d > box[1];
    if (this.#around(box).some((cell) => this.#cells.get(cell)?.some(meets)))
      return false;
    this.fill(x, y, width, height);
    return true;
  }

  fill(x, y, width, height) {
    const box = [x, y, x + width, y + height];
    for (const cell of this.#around(box)) {
      if (!this.#cells.has(cell)) this.#cells.set(cell, []);
      this.#cells.get(cell).push(box);
    }
  }

  #around([left, top, right, bottom]) {
    const cells = [];
    for (let x = Math.floor(left / Room.CELL); x <= right / Room.CELL; x++)
      for (let y = Math.floor(top / Room.CELL); y <= bottom / Room.CELL; y++)
        cells.push(`${x} ${y}`);
    return cells;
  }
}
