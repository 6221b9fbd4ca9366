import { area } from "./area";

document.querySelector("#app")!.textContent = String(area({ width: 2, height: 3 }));
