/** Prices that a server in these tests names, cents per kWh. */
export const tariff = {
  retail_cents_per_kwh: 3_500,
  buy_back_cents_per_kwh: 1_000,
  grid_fee_cents_per_kwh: 300,
  tax_cents_per_kwh: 200,
  offer_price_min_cents_per_kwh: 1_000,
  offer_price_max_cents_per_kwh: 3_000,
};
