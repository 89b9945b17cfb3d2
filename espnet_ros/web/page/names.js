// Where the names of the classes go: the most inner place of the largest area of each.

const COLUMNS = 48;
const ROWS = 27;

export function placeNames({ values, width, height }) {
  const grid = new Int16Array(COLUMNS * ROWS);
  const counts = new Map();
  for (let row = 0; row < ROWS; row += 1) {
    const start = Math.floor((row + 0.5) * height / ROWS) * width;
    for (let column = 0; column < COLUMNS; column += 1) {
      const id = values[start + Math.floor((column + 0.5) * width / COLUMNS)];
      grid[row * COLUMNS + column] = id;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  const depth = depths(grid);
  const best = new Map();
  depth.forEach((value, cell) => {
    const found = best.get(grid[cell]);
    if (!found || value > found.value) { best.set(grid[cell], { value, cell }); }
  });
  return [...best].map(([id, { cell }]) => ({
    id,
    x: ((cell % COLUMNS) + 0.5) / COLUMNS,
    y: (Math.floor(cell / COLUMNS) + 0.5) / ROWS,
    share: counts.get(id) / grid.length,
  })).sort((a, b) => b.share - a.share);
}

// Returns how far each cell is from another class or the edge, in cells; two passes.
function depths(grid) {
  const depth = new Float32Array(grid.length);
  const pass = (order, steps) => {
    for (const cell of order) {
      const column = cell % COLUMNS;
      let least = depth[cell] || Infinity;
      for (const [dx, dy] of steps) {
        const next = cell + dx + dy * COLUMNS;
        const isInside = column + dx >= 0 && column + dx < COLUMNS && next >= 0 && next < grid.length;
        least = Math.min(least, isInside && grid[next] === grid[cell] ? depth[next] + 1 : 1);
      }
      depth[cell] = least;
    }
  };
  const order = [...grid.keys()];
  pass(order, [[-1, 0], [0, -1]]);
  pass(order.reverse(), [[1, 0], [0, 1]]);
  return depth;
}
