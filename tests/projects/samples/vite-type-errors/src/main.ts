import { area } from "./area";

const wrong: string = area({ width: 2, height: 3 });
document.querySelector("#app")!.textContent = wrong + area({ width: "2", height: 3 });
