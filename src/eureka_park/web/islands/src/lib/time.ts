// Time of the park: read from the page's clock, which may run faster than a watch.

const bases = new WeakMap<Element, { given: string; s: number; pace: number; readMs: number }>();

/** Seconds since 1970 that a clock element shows now. */
export function clockS(element: HTMLElement): number {
  const given = `${element.dataset.parkS} ${element.dataset.pace}`;
  let base = bases.get(element);
  if (base?.given !== given) {
    base = { given, s: Number(element.dataset.parkS), pace: Number(element.dataset.pace) || 1, readMs: performance.now() };
    bases.set(element, base);
  }
  return base.s + ((performance.now() - base.readMs) / 1000) * base.pace;
}

/** A duration in its two largest units. `isFast` leaves seconds out. */
export function durationText(seconds: number, locale: string, isFast = false): string {
  const unit = (value: number, name: string): string =>
    new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  const s = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (days) return hours ? `${unit(days, "day")} ${unit(hours, "hour")}` : unit(days, "day");
  if (hours) return minutes ? `${unit(hours, "hour")} ${unit(minutes, "minute")}` : unit(hours, "hour");
  if (minutes >= 10 || isFast) return unit(isFast ? Math.max(1, minutes) : minutes, "minute");
  return minutes ? `${unit(minutes, "minute")} ${unit(s % 60, "second")}` : unit(s, "second");
}

/** Hours and minutes in a time zone. */
export function hourText(instantS: number, zone: string | undefined): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(zone ? { timeZone: zone } : {}),
  });
  return parts.format(instantS * 1000);
}

/** The day in a time zone, to see when it changes. */
export function dayText(instantS: number, zone: string | undefined): string {
  return new Intl.DateTimeFormat("en-CA", zone ? { timeZone: zone } : {}).format(instantS * 1000);
}
